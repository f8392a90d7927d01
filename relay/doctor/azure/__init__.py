"""What the doctor asks of Azure and Azure DevOps."""
