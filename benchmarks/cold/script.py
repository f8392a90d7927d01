"""The script way: what a pipeline or a job calls once a training is done, a process each time.

    python -m benchmarks.cold.script --run RUN

Reads the model's file, fetches the token from Key Vault, and starts the pipeline.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
from pathlib import Path

import requests
import yaml
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

MODEL = Path(__file__).resolve().parent / "MLmodel"


def main() -> int:
    """Start the pipeline; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold.script", description=__doc__)
    parser.add_argument("--run", required=True)
    parser.add_argument("--model", type=Path, default=MODEL, help="the MLmodel file")
    parser.add_argument("--pipeline", type=int, default=42)
    options = parser.parse_args()
    model = yaml.safe_load(options.model.read_text("utf-8"))
    vault = SecretClient(os.environ["KEY_VAULT_URL"], DefaultAzureCredential())
    pat = vault.get_secret("azure-devops-pat").value or ""
    url = f"{os.environ['DEVOPS_URL']}/contoso/mlops/_apis/pipelines/{options.pipeline}/runs"
    authorization = "Basic " + base64.b64encode(f":{pat}".encode()).decode()
    answer = requests.post(
        url,
        params={"api-version": "7.1"},
        json={"templateParameters": {"run_id": options.run, "model_name": model["artifact_path"]}},
        headers={"Authorization": authorization},
        timeout=30,
    )
    answer.raise_for_status()
    return 0


if __name__ == "__main__":
    sys.exit(main())
