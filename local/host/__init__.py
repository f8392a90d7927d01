"""A local Functions host."""
