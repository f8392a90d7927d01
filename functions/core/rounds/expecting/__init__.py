"""Notices that a run of a route did not come in time, or that one is held for too long."""
