"""What things are called and where they lie; nothing is imported for it."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAT = "a-personal-access-token-of-the-benchmarks-1234567890"
STORAGE = "AzureWebJobsStorage"
RESOURCE = "https://management.azure.com"
SERVICES = ("devops", "aml", "table", "vault", "arm", "identity")
TITLES_OF_SERVICES = ("Azure DevOps", "MLflow", "table", "Key Vault", "ARM", "token")
JOB = "job"  # ids of pipeline jobs begin so; their metrics and models are those of one child
START, KNOWN, IGNORED = "start", "known", "ignored"  # what an event leads to
