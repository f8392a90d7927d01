"""The stories that `make demo PATTERN=...` tells, each on a deployment of its own."""
