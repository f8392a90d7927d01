"""Agentless tasks that wait for runs, from their registration to their answer."""
