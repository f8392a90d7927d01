"""A run's model and its champion, out of all places that tell of them."""
