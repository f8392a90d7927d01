metadata description = 'The Key Vault that holds the PAT. Its value is put there by hand or by a rotation job, never by a deployment.'

@description('Required. Region.')
param location string

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Tags of every resource.')
param tags object

@description('Required. true brings back a deleted vault of this name. Say so once, and only if there is one.')
param recover bool

@description('Required. Days that a deleted secret or vault can be brought back. Cannot be changed later.')
@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('Required. Whether the public endpoint is there at all.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Required. Whether only private endpoints are let in.')
param isPrivate bool

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    createMode: recover ? 'recover' : 'default'
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }
}

@description('Resource id of the vault.')
output id string = vault.id
