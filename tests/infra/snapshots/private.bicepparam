using '../../../infra/main.bicep'

// Nothing is open but the app; the vault is made here, and so are the DNS zones.
param workspaces = [
  {
    id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
  }
]
param integrationSubnetId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/Hub/subnets/app'
param endpointSubnetId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/Hub/subnets/endpoints'
param publicNetworkAccess = 'Disabled'
param operatorsGroupId = 'abcdef22-2222-2222-2222-222222222221'
param operatorsReadPat = true
