"""Keys of a route that most routes do not name: what each makes, and what contradicts it."""
