"""What Run Relay decides, without I/O, clock, environment or logging."""
