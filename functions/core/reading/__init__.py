"""A run, read only as far as its routes ask: its children, its metrics, its model, its champion."""
