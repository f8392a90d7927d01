"""Versions of models that were promoted since the registry was looked at last."""
