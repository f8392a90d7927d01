"""How fast it is; nothing here is part of the tests."""
