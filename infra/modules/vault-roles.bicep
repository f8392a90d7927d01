metadata description = 'Who may do what with the secrets of the vault that is made here.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object id of the operators\' group; empty: none.')
param operatorsGroupId string

@description('Required. Whether operators may read the PAT itself, so that `relay doctor` can try it.')
param operatorsReadPat bool

@description('Required. Object id of whoever stores and rotates the PAT; empty: nobody is given that right here.')
param rotatorId string

@description('Required. What that is.')
@allowed(['Group', 'ServicePrincipal', 'User'])
param rotatorType string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(vault.id), appPrincipalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource operatorsExpiry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(vault.id), operatorsGroupId, roles.keyVaultReader)
  scope: vault
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultReader)
  }
}

resource operatorsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId) && operatorsReadPat) {
  name: guid(toLower(vault.id), operatorsGroupId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource rotatorSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(rotatorId)) {
  name: guid(toLower(vault.id), rotatorId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    principalId: rotatorId
    principalType: rotatorType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
  }
}
