"""What a list of continuations shows: its filters, what wants a person in it, and what to type."""
