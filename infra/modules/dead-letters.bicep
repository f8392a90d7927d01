metadata description = 'Where Event Grid puts what it could not deliver, who may put it there, and for how long it stays.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the storage account.')
param storageName string

@description('Required. Name of the container.')
@minLength(3)
@maxLength(63)
param container string

@description('Required. Days after which a dead letter is removed. One older than the ledger\'s memory cannot be replayed.')
@minValue(1)
@maxValue(3650)
param keptDays int

@description('Required. Object ids of the system topics\' identities.')
param topicPrincipalIds string[]

@description('Required. Whether roles are assigned here.')
param assignRoles bool

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource letters 'containers' = { name: container }
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'dead-letters'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['${container}/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keptDays } } }
            }
          }
        ]
      }
    }
  }
}

resource topicsDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in (assignRoles ? topicPrincipalIds : []): {
    name: guid(toLower(account::blobs::letters.id), principalId, roles.storageBlobDataContributor)
    scope: account::blobs::letters
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageBlobDataContributor
      )
    }
  }
]

@description('URL of the container: what `relay replay --dead-letters` takes.')
output url string = '${account.properties.primaryEndpoints.blob}${container}'
