"""`coverage`: what became of every run that ended."""
