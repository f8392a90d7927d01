"""What stops everything, or much of it: the states that an operator must not have to look for."""
