"""Texts from outside, read within bounds: lines, JSON, YAML, compiled expressions."""
