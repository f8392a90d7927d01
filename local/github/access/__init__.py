"""Who may call the local GitHub, and how often."""
