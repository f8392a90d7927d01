metadata description = 'Who may do what with the blobs, tables and queues of the storage account.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the storage account.')
param storageName string

@description('Required. Name of the table that is the ledger.')
param ledgerTable string

@description('Required. Container of the dead letters.')
param deadLetterContainer string

@description('Required. Whether the app puts parts of its rounds on a queue.')
param usesQueue bool

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object id of the operators\' group; empty: none.')
param operatorsGroupId string

@description('Required. Object id of the readers\' group; empty: none.')
param readersGroupId string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = { name: deadLetterContainer }
  }

  resource tables 'tableServices' existing = {
    name: 'default'

    resource ledger 'tables' existing = { name: ledgerTable }
  }
}

// The whole account: the host makes containers of its own, and fetches the package.
resource appBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(account.id), appPrincipalId, roles.storageBlobDataOwner)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
  }
}

// The whole account: the host keeps its diagnostic events in tables that it makes each month, and makes the queue
// of the app's rounds where they are in parts, with another one for messages that nobody could take.
resource appTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in concat([roles.storageTableDataContributor], usesQueue ? [roles.storageQueueDataContributor] : []): {
    name: guid(toLower(account.id), appPrincipalId, role)
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource operatorsLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(account::tables::ledger.id), operatorsGroupId, roles.storageTableDataContributor)
  scope: account::tables::ledger
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
  }
}

resource operatorsDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(account::blobs::deadLetters.id), operatorsGroupId, roles.storageBlobDataReader)
  scope: account::blobs::deadLetters
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}

resource readersLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readersGroupId)) {
  name: guid(toLower(account::tables::ledger.id), readersGroupId, roles.storageTableDataReader)
  scope: account::tables::ledger
  properties: {
    principalId: readersGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataReader)
  }
}
