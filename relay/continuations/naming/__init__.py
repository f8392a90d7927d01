"""Whether a pipeline run that an operator names is the one that a continuation asked for."""
