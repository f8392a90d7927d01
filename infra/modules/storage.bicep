metadata description = 'The storage account: the host\'s own blobs, the deployed package, and the ledger.'

@description('Required. Region.')
param location string

@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Redundancy.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param sku string

@description('Required. Name of the table that is the ledger.')
@minLength(3)
@maxLength(63)
param ledgerTable string

@description('Required. Container of the deployed package.')
@minLength(3)
@maxLength(63)
param packageContainer string

@description('Required. Whether the public endpoint is there at all.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Required. Whether only private endpoints and trusted Azure services are let in.')
param isPrivate bool

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    // Event Grid writes dead letters as a trusted service: it has no address that could be let in.
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
      deleteRetentionPolicy: { enabled: true, days: 14 }
    }

    resource packages 'containers' = { name: packageContainer }
  }

  resource tables 'tableServices' = {
    name: 'default'

    // A table that is there is left as it is: no deployment touches a row.
    resource ledger 'tables' = { name: ledgerTable }
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('URL of its blobs, with a slash at the end.')
output blobUrl string = account.properties.primaryEndpoints.blob
