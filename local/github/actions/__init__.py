"""Workflows and their runs: what a file declares, what a dispatch may ask, what became of it."""
