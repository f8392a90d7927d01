metadata description = 'Private endpoints of the storage account and the vault, and the private DNS zones that name them.'

@description('Required. Region of the subnet.')
param location string

@description('Required. What the names end in.')
param suffix string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Resource id of the subnet that the endpoints stand in.')
param subnetId string

@description('Required. Resource id of the resource group that holds the private DNS zones; empty: they are made here and linked to the subnet\'s network.')
param zonesGroupId string

@description('Required. Name of the storage account.')
param storageName string

@description('Required. Name of the vault; empty: it gets no endpoint here.')
param vaultName string

var storageTargets = [
  for part in ['blob', 'queue', 'table']: {
    part: part
    id: resourceId('Microsoft.Storage/storageAccounts', storageName)
    zone: 'privatelink.${part}.${environment().suffixes.storage}'
  }
]
var vaultTargets = empty(vaultName)
  ? []
  : [
      {
        part: 'vault'
        id: resourceId('Microsoft.KeyVault/vaults', vaultName)
        zone: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
      }
    ]
var targets = concat(storageTargets, vaultTargets)
var groupId = empty(zonesGroupId) ? resourceGroup().id : zonesGroupId
var zones = '${groupId}/providers/Microsoft.Network/privateDnsZones'
var networkId = split(subnetId, '/subnets/')[0]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in (empty(zonesGroupId) ? targets : []): {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, i) in (empty(zonesGroupId) ? targets : []): {
    parent: zone[i]
    name: '${toLower(last(split(networkId, '/')))}-vnetlink'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-07-01' = [
  for target in targets: {
    name: 'pep-${target.part}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: target.part, properties: { privateLinkServiceId: target.id, groupIds: [target.part] } }
      ]
    }
  }
]

// The records of an endpoint in its zone; the zone's link comes first, so that nobody asks in between.
resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-07-01' = [
  for (target, i) in targets: {
    parent: endpoint[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: target.part, properties: { privateDnsZoneId: '${zones}/${target.zone}' } }]
    }
    dependsOn: [zone, link]
  }
]
