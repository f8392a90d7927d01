"""Which runs of a workspace ended, experiment by experiment."""
