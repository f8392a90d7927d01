"""Real components, started here: Azurite, MLflow."""
