"""How many may be under way at once, who waits, and whose turn it is."""
