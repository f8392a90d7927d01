"""What Event Grid and Azure Pipelines send becomes values, or a refusal that says why."""
