"""What an operator sees, is told, and can do."""
