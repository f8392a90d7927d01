"""`why` and `coverage`: what became of runs."""
