"""Pipelines, their runs and their builds."""
