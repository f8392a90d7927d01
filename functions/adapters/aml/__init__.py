"""Azure Machine Learning: the workspace from ARM, runs and models from its MLflow endpoint."""

from functions.adapters.aml.runs import AmlRuns
from functions.adapters.aml.workspaces import Workspaces

__all__ = ["AmlRuns", "Workspaces"]
