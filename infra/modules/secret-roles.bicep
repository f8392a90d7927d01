metadata description = 'Who may do what with single secrets of a vault that was there before, which may hold those of others.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Names of the secrets that the app reads.')
param secretNames string[]

@description('Required. Name of the secret that is the PAT.')
param patName string

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

resource secrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [
  for name in secretNames: { parent: vault, name: name }
]

resource pat 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = { parent: vault, name: patName }

resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in secretNames: {
    name: guid(toLower(secrets[i].id), appPrincipalId, roles.keyVaultSecretsUser)
    scope: secrets[i]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    }
  }
]

// Of the whole vault, but of no value in it.
resource operatorsExpiry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(vault.id), operatorsGroupId, roles.keyVaultReader)
  scope: vault
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultReader)
  }
}

resource operatorsPat 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId) && operatorsReadPat) {
  name: guid(toLower(pat.id), operatorsGroupId, roles.keyVaultSecretsUser)
  scope: pat
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource rotatorPat 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(rotatorId)) {
  name: guid(toLower(pat.id), rotatorId, roles.keyVaultSecretsOfficer)
  scope: pat
  properties: {
    principalId: rotatorId
    principalType: rotatorType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
  }
}
