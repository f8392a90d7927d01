"""A local Azure Machine Learning: its MLflow front, its runs, its jobs, its models."""
