"""Many events and many routes."""
