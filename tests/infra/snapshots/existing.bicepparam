using '../../../infra/main.bicep'

// A topic and a vault that are there already, each in a group of its own, and nobody is given a role.
param workspaces = [
  {
    id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
    topicName: 'their-topic'
    topicResourceGroup: 'Topics'
  }
]
param vaultId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Safe/providers/Microsoft.KeyVault/vaults/Theirs'
param assignRoles = false
