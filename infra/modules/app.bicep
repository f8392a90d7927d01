metadata description = 'The Flex Consumption plan and the function app, without its settings and its code.'

import { alwaysReadyType } from 'types.bicep'

@description('Required. Region; it must offer Flex Consumption.')
param location string

@description('Required. Name of the function app.')
@minLength(2)
@maxLength(60)
param name string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Name of the app\'s identity.')
param identityName string

@description('Required. URL of the container that holds the deployed package.')
param packageUrl string

@description('Required. Version of Python.')
@allowed(['3.12', '3.13', '3.14'])
param pythonVersion string

@description('Required. Memory of one instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Required. The most instances at once, of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Required. Whether instances stand in several zones.')
param zoneRedundant bool

@description('Required. Functions that always have instances ready.')
param alwaysReady alwaysReadyType[]

@description('Required. Resource id of the subnet through which the app reaches others; empty: none.')
param subnetId string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: identityName }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'relay' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled' // Event Grid has no private way to a function
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2' } // Flex refuses ftpsState; FTP is off below
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = { name: 'ftp', properties: { allow: false } }

  // One after the other: the app refuses a second change while the first is under way.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
    dependsOn: [ftp]
  }
}

@description('Resource id of the function app.')
output id string = app.id

@description('Name of the function app.')
output name string = app.name
