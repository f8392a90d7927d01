"""What things are called in the local Azure."""

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
)
LOOPBACK = "127.0.0.1"
ORGANIZATION, PROJECT = "contoso", "mlops"
SECRET = "azure-devops-pat"
GITHUB_SECRET = "github-token"
