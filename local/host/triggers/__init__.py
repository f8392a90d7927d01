"""What fires a function, and what the function is given."""
