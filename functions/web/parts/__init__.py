"""The parts of the list that stand above its rows."""
