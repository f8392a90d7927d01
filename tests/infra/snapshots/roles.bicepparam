using '../../../infra/main.bicep'

// Roles of our own wherever there can be one, and everybody who may be given something.
param workspaces = [
  {
    id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
  }
]
param customRoles = 'all'
param policy = { reconcileParts: 8, tagRuns: true, waits: true }
param operatorsGroupId = 'abcdef22-2222-2222-2222-222222222221'
param operatorsReadPat = true
param readersGroupId = 'abcdef22-2222-2222-2222-222222222222'
param rotatorId = 'abcdef22-2222-2222-2222-222222222224'
param rotatorType = 'User'
param outcomeEvents = true
