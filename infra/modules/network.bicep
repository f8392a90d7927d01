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

@description('Required. Resource id of the storage account.')
param storageId string

@description('Required. Resource id of the vault; empty: it gets no endpoint here.')
param vaultId string

var storageTargets = [for part in ['blob', 'queue', 'table']: {
  part: part
  id: storageId
  zone: 'privatelink.${part}.${environment().suffixes.storage}'
}]
var vaultTargets = empty(vaultId) ? [] : [
  {
    part: 'vault'
    id: vaultId
    zone: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  }
]
var targets = concat(storageTargets, vaultTargets)
var zonesHere = '${resourceGroup().id}/providers/Microsoft.Network/privateDnsZones'
var zones = empty(zonesGroupId) ? zonesHere : '${zonesGroupId}/providers/Microsoft.Network/privateDnsZones'

// Azure Verified Modules, from the public registry: https://aka.ms/avm
module zone 'br/public:avm/res/network/private-dns-zone:0.7.1' = [for target in (empty(zonesGroupId) ? targets : []): {
  name: 'zone-${target.part}-${suffix}'
  params: {
    name: target.zone
    tags: tags
    enableTelemetry: false
    virtualNetworkLinks: [{ virtualNetworkResourceId: split(subnetId, '/subnets/')[0] }]
  }
}]

module endpoint 'br/public:avm/res/network/private-endpoint:0.11.0' = [for target in targets: {
  name: 'endpoint-${target.part}-${suffix}'
  params: {
    name: 'pep-${target.part}-${suffix}'
    location: location
    tags: tags
    enableTelemetry: false
    subnetResourceId: subnetId
    privateLinkServiceConnections: [
      { name: target.part, properties: { privateLinkServiceId: target.id, groupIds: [target.part] } }
    ]
    privateDnsZoneGroup: {
      privateDnsZoneGroupConfigs: [{ privateDnsZoneResourceId: '${zones}/${target.zone}' }]
    }
  }
  dependsOn: [zone]
}]
