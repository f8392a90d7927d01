"""A local Azure Resource Manager."""
