"""Where it is told what happened: the log, outcome events, OpenTelemetry."""
