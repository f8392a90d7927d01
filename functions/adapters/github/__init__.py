"""GitHub Actions: start a workflow, find the run of a lost answer, and see how runs end."""

from functions.adapters.github.credentials import GitHubCredentials
from functions.adapters.github.workflows import GitHubWorkflows

__all__ = ["GitHubCredentials", "GitHubWorkflows"]
