"""What gates and parameters may name: every fact, its value, and when it may not be used."""
