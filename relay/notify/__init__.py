"""Tells who is told, and what of that works; sends a message that is only a test."""
