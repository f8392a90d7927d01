"""`make demo`: stories told on a local deployment, and checked as they go."""
