"""A deployed app, found and read as whoever is signed in."""
