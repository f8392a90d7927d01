"""How the text of a route file becomes routes."""
