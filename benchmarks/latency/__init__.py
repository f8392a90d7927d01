"""From an event to its pipeline, in a process that is warm."""
