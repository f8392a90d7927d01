"""The one way of a continuation, from a claim to a pipeline run."""
