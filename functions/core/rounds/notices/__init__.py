"""Tells people what happened: notices it before the schedule forgets, and sends behind all else."""
