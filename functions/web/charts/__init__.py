"""The two charts of the operations page."""
