"""What the local GitHub knows, as the JSON that GitHub sends: its published schemas judge it."""
