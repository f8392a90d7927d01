using '../../../infra/main.bicep'

// Two workspaces of one name in two subscriptions, neither in that of the app.
param workspaces = [
  {
    id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
  }
  {
    id: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
  }
]
