metadata name = 'Run Relay'
metadata description = 'Everything but the code and the event subscriptions. Deploy the code next, then events.bicep.'

// The resource group is yours: who deploys needs no right on the subscription.
targetScope = 'resourceGroup'

import {
  aboutDevOps
  aboutGroupId
  aboutGuid
  aboutId
  aboutMail
  aboutName
  aboutPrefix
  aboutText
  aboutTwice
  aboutUrl
} from 'modules/checks.bicep'
import { alwaysReadyType, policyType, workspaceType } from 'modules/types.bicep'

// What it is for

@description('Required. The workspaces whose runs are followed; each gets a system topic in its own resource group.')
@minLength(1)
param workspaces workspaceType[]

@description('Optional. Settings of the app that differ from its defaults.')
param policy policyType = {}

@description('Optional. true: nothing is started, whatever policy says. infra/hooks/deploy.sh says so where somebody has paused the app by hand.')
param paused bool = false

@description('Optional. Settings of your own, such as AzureFunctionsJobHost__…: they fill in what is empty here, and what is not here is not kept.')
param moreSettings object = {}

@description('Optional. How the app signs in to Azure DevOps: with a PAT from the vault, or with its own identity.')
@allowed(['pat', 'entra'])
param devopsAuth string = 'pat'

@description('Optional. Name of the secret that is the PAT, unless a route names another. Its value is no part of a deployment.')
@minLength(1)
@maxLength(127)
param patName string = 'azure-devops-pat'

@description('Optional. true: make a topic that gets an event for each outcome.')
param outcomeEvents bool = false

// Names and places

@description('Optional. What names are made of: lower-case letters, digits and single hyphens, a letter first.')
@minLength(2)
@maxLength(16)
param namePrefix string = 'relay'

@description('Optional. Region; it must offer Flex Consumption. Workspaces may be elsewhere.')
param location string = resourceGroup().location

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Optional. Name of the table that is the ledger. A new name is a new, empty ledger.')
@minLength(3)
@maxLength(63)
param ledgerTable string = 'continuations'

// Size

@description('Optional. Version of Python. From 3.13 on Azure\'s worker imports lazily, which shortens a cold start.')
@allowed(['3.12', '3.13', '3.14'])
param pythonVersion string = '3.13'

@description('Optional. Memory of one instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. The most instances at once, of each function and without those that are always ready. Below 40 not every region takes it.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Whether instances stand in several zones, where the region has them. Azure then keeps two of each function always ready, whatever alwaysReady says, and bills them.')
param zoneRedundant bool = false

@description('Optional. Functions that always have instances ready, which cost whether they work or not. None: an event may find a cold app, and come again.')
param alwaysReady alwaysReadyType[] = [
  { name: 'function:on_run_completed', instanceCount: 1 }
]

@description('Optional. Redundancy of the storage account, the ledger\'s included.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param storageSku string = 'Standard_ZRS'

@description('Optional. Days that dead letters are kept.')
@minValue(1)
@maxValue(3650)
param deadLetterDays int = 400

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

// The vault

@description('Optional. Resource id of a Key Vault that is there already, with Azure RBAC. Empty: one is made, unless devopsAuth is entra and nothing else needs one.')
param vaultId string = ''

@description('Optional. Names of further secrets that the app reads: those that routes name, and the addresses of channels. Of an existing vault it may read no others; without one, a vault is made for them with devopsAuth entra too.')
param vaultSecrets string[] = []

@description('Optional. true brings back the deleted vault of an earlier deployment. Say so once, when it is told that the name is taken by a deleted vault.')
param recoverVault bool = false

@description('Optional. Days that a deleted secret or vault can be brought back. Cannot be changed later.')
@minValue(7)
@maxValue(90)
param softDeleteDays int = 90

// Who may do what

@description('Optional. false: roles are assigned by somebody else, who finds them in the README of this folder.')
param assignRoles bool = true

@description('Optional. Roles of our own: none; operators: one to read the app\'s settings (and, with policy.tagRuns, one for the app to tag runs); all: also one that reads runs but not datastore credentials, in place of Reader on the workspaces.')
@allowed(['none', 'operators', 'all'])
param customRoles string = 'operators'

@description('Optional. Object id of the group that asks and replays. Empty: none.')
param operatorsGroupId string = ''

@description('Optional. Whether that group may read the PAT itself, so that `relay doctor` can try it.')
param operatorsReadPat bool = false

@description('Optional. Object id of the group that reads the ledger, the logs and the workbook. Empty: none.')
param readersGroupId string = ''

@description('Optional. Client id of an Entra application that people sign in to for the operations page. Empty: the page asks for a function key.')
param operationsClientId string = ''

@description('Optional. Object id of whoever stores and rotates the PAT. Empty: nobody is given that right here.')
param rotatorId string = ''

@description('Optional. What that is.')
@allowed(['Group', 'ServicePrincipal', 'User'])
param rotatorType string = 'Group'

// Network

@description('Optional. Resource id of the subnet through which the app reaches others, delegated to Microsoft.App/environments. Empty: the internet.')
param integrationSubnetId string = ''

@description('Optional. Resource id of the subnet that gets private endpoints for storage and the vault made here. Empty: none, and both are open to whoever has a role.')
param endpointSubnetId string = ''

@description('Optional. Resource id of the resource group that holds the private DNS zones. Empty: they are made here.')
param dnsZonesGroupId string = ''

@description('Optional. Disabled closes storage and vault to all but private endpoints, where a policy demands it: test then that dead letters still arrive.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string = 'Enabled'

// Who is told

@description('Optional. E-mail addresses to alert.')
param alertEmails string[] = []

@description('Optional. Webhooks (https URLs) to alert, between commas. Such an address is often a key, so it is shown nowhere.')
@secure()
param alertWebhooks string = ''

@description('Optional. Hours without any event that are worth an alert; 0 turns that alert off.')
@minValue(0)
@maxValue(47)
param noEventHours int = 24

// What is wrong is told before anything is made, all of it at once.
var subnetType = 'Microsoft.Network/virtualNetworks/subnets'
var wrong = filter(
  concat(
    map(workspaces, workspace => aboutId('workspaces', workspace.id, 'Microsoft.MachineLearningServices/workspaces')),
    map(workspaces, workspace => aboutName('topicName', workspace.?topicName ?? 'none', '-')),
    map(workspaces, workspace => aboutText('topicResourceGroup', workspace.?topicResourceGroup ?? '', '-_.()')),
    map(alertEmails, mail => aboutMail('alertEmails', mail)),
    map(policy.?waitsOrganizations ?? [], one => aboutText('policy.waitsOrganizations', one, ':/.-_%')),
    map(policy.?notifyHosts ?? [], one => aboutText('policy.notifyHosts', one, '*.-')),
    map(vaultSecrets, one => aboutText('vaultSecrets', one, '-')),
    map(alwaysReady, one => aboutName('alwaysReady', replace(one.name, 'function:', ''), '_')),
    [
      aboutTwice('workspaces', map(workspaces, workspace => workspace.id))
      aboutTwice('alertEmails', alertEmails)
      aboutTwice('alwaysReady', map(alwaysReady, one => one.name))
      aboutPrefix('namePrefix', namePrefix)
      aboutName('ledgerTable', ledgerTable, '')
      aboutText('patName', patName, '-')
      empty(vaultId) ? '' : aboutId('vaultId', vaultId, 'Microsoft.KeyVault/vaults')
      empty(integrationSubnetId) ? '' : aboutId('integrationSubnetId', integrationSubnetId, subnetType)
      empty(endpointSubnetId) ? '' : aboutId('endpointSubnetId', endpointSubnetId, subnetType)
      empty(dnsZonesGroupId) ? '' : aboutGroupId('dnsZonesGroupId', dnsZonesGroupId)
      empty(operatorsGroupId) ? '' : aboutGuid('operatorsGroupId', operatorsGroupId)
      empty(readersGroupId) ? '' : aboutGuid('readersGroupId', readersGroupId)
      empty(operationsClientId) ? '' : aboutGuid('operationsClientId', operationsClientId)
      empty(rotatorId) ? '' : aboutGuid('rotatorId', rotatorId)
      empty(policy.?devopsUrl ?? '') ? '' : aboutUrl('policy.devopsUrl', policy.devopsUrl!)
      aboutDevOps('policy.devopsUrl', policy.?devopsUrl ?? '')
      empty(policy.?githubUrl ?? '') ? '' : aboutUrl('policy.githubUrl', policy.githubUrl!)
      aboutText('policy.githubSecret', policy.?githubSecret ?? '', '-')
      aboutText('policy.githubAppId', policy.?githubAppId ?? '', '.')
      empty(policy.?resourceManagerUrl ?? '') ? '' : aboutUrl('policy.resourceManagerUrl', policy.resourceManagerUrl!)
      publicNetworkAccess == 'Disabled' && empty(endpointSubnetId)
        ? 'publicNetworkAccess \'Disabled\' without endpointSubnetId would lock the app out of its storage.'
        : ''
      !empty(endpointSubnetId) && empty(integrationSubnetId)
        ? 'endpointSubnetId \'${endpointSubnetId}\' without integrationSubnetId would lock the app out of its storage.'
        : ''
    ]
  ),
  words => !empty(words)
)
var isRight = empty(wrong) || bool(fail(join(wrong, '\n')))

// Azure takes an id in any letters, but a hash does not: from here on, ids are in lower case.
var groupId = toLower(resourceGroup().id)
var operators = toLower(operatorsGroupId)
var readers = toLower(readersGroupId)
var found = map(isRight ? workspaces : [], workspace => {
  id: toLower(workspace.id)
  subscription: split(toLower(workspace.id), '/')[2]
  group: split(toLower(workspace.id), '/')[4]
  name: last(split(toLower(workspace.id), '/'))
  // Its name tells the workspace only: a second app that follows the same workspace finds the same topic.
  newTopic: 'evgt-${take(replace(last(split(toLower(workspace.id), '/')), '_', '-'), 31)}-${uniqueString(toLower(workspace.id))}'
  topic: workspace.?topicName ?? ''
  topicGroup: toLower(workspace.?topicResourceGroup ?? split(workspace.id, '/')[4])
})

// The same group and prefix give the same names: that is what makes a second deployment the first one again.
// Names are made here and handed on: what a module would have to be asked for, a preview could not see.
var unique = uniqueString(isRight ? groupId : '', namePrefix)
var suffix = '${namePrefix}-${unique}'
var appName = 'func-${suffix}'
var identityName = 'id-${suffix}'
var logsName = 'log-${suffix}'
var insightsName = 'appi-${suffix}'
var outcomesName = 'evgt-${suffix}'
var storageName = toLower('st${take(replace(namePrefix, '-', ''), 9)}${unique}')
var packageContainer = 'deployments'
var deadLetterContainer = 'dead-letters'
var isPrivate = !empty(endpointSubnetId)
var logsId = resourceId('Microsoft.OperationalInsights/workspaces', logsName)
var topicIds = map(
  found,
  each =>
    '/subscriptions/${each.subscription}/resourceGroups/${each.topicGroup}/providers/Microsoft.EventGrid/systemTopics/${empty(each.topic) ? each.newTopic : each.topic}'
)

var githubSecrets = empty(policy.?githubSecret ?? '') ? [] : [policy.githubSecret!]
var needsVault = devopsAuth == 'pat' || (policy.?waits ?? false) || !empty(githubSecrets) || !empty(vaultSecrets)
var makesVault = needsVault && empty(vaultId)
var vaultName = empty(vaultId)
  ? 'kv${take(replace(namePrefix, '-', ''), 9)}${unique}'
  : last(split(toLower(vaultId), '/'))
var vaultGroupId = isRight && !empty(vaultId) ? split(toLower(vaultId), '/providers/')[0] : groupId
var hasVault = makesVault || !empty(vaultId)
var vaultUrl = hasVault ? 'https://${vaultName}${environment().suffixes.keyvaultDns}' : ''

// Of a vault that is there already, which may hold other people's secrets, the app is given these alone.
var waitsKeys = (policy.?waits ?? false) ? [moreSettings.?WAITS_KEY_SECRET ?? 'run-relay-waits-key'] : []
var secretNames = union(devopsAuth == 'pat' ? [patName] : [], githubSecrets, waitsKeys, vaultSecrets)

var groups = union(empty(operators) ? [] : [operators], empty(readers) ? [] : [readers])

module identity 'modules/identity.bicep' = {
  name: 'identity-${unique}'
  params: { location: location, name: identityName, tags: tags }
}

module storage 'modules/storage.bicep' = {
  name: 'storage-${unique}'
  params: {
    location: location
    name: storageName
    tags: tags
    sku: storageSku
    ledgerTable: ledgerTable
    packageContainer: packageContainer
    publicNetworkAccess: publicNetworkAccess
    isPrivate: isPrivate
  }
}

module vault 'modules/vault.bicep' = if (makesVault) {
  name: 'vault-${unique}'
  params: {
    location: location
    name: vaultName
    tags: tags
    recover: recoverVault
    softDeleteDays: softDeleteDays
    publicNetworkAccess: publicNetworkAccess
    isPrivate: isPrivate
  }
}

module telemetry 'modules/telemetry.bicep' = {
  name: 'telemetry-${unique}'
  params: { location: location, logsName: logsName, insightsName: insightsName, tags: tags, retentionDays: logDays }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network-${unique}'
  params: {
    location: location
    suffix: unique
    tags: tags
    subnetId: endpointSubnetId
    zonesGroupId: dnsZonesGroupId
    storageName: storageName
    vaultName: makesVault ? vaultName : ''
  }
  dependsOn: [storage, vault]
}

module storageRoles 'modules/storage-roles.bicep' = if (assignRoles) {
  name: 'storage-roles-${unique}'
  params: {
    storageName: storageName
    ledgerTable: ledgerTable
    deadLetterContainer: deadLetterContainer
    usesQueue: (policy.?reconcileParts ?? 1) > 1
    #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
    appPrincipalId: identity.outputs.principalId
    operatorsGroupId: operators
    readersGroupId: readers
  }
  dependsOn: [deadLetters]
}

module vaultRoles 'modules/vault-roles.bicep' = if (assignRoles && makesVault) {
  name: 'vault-roles-${unique}'
  params: {
    vaultName: vaultName
    #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
    appPrincipalId: identity.outputs.principalId
    operatorsGroupId: operators
    operatorsReadPat: operatorsReadPat
    rotatorId: toLower(rotatorId)
    rotatorType: rotatorType
  }
  dependsOn: [vault]
}

module secretRoles 'modules/secret-roles.bicep' = if (assignRoles && !empty(vaultId)) {
  name: 'secret-roles-${unique}'
  scope: resourceGroup(split(vaultGroupId, '/')[2], split(vaultGroupId, '/')[4])
  params: {
    vaultName: vaultName
    secretNames: secretNames
    patName: patName
    #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
    appPrincipalId: identity.outputs.principalId
    operatorsGroupId: operators
    operatorsReadPat: operatorsReadPat
    rotatorId: toLower(rotatorId)
    rotatorType: rotatorType
  }
}

module telemetryRoles 'modules/telemetry-roles.bicep' = if (assignRoles) {
  name: 'telemetry-roles-${unique}'
  params: {
    workspaceName: logsName
    appInsightsName: insightsName
    #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
    appPrincipalId: identity.outputs.principalId
    groupIds: groups
  }
  dependsOn: [telemetry]
}

module outcomes 'modules/outcomes.bicep' = if (outcomeEvents) {
  name: 'outcomes-${unique}'
  params: {
    location: location
    name: outcomesName
    tags: tags
    #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
    appPrincipalId: identity.outputs.principalId
    assignRoles: assignRoles
  }
}

module app 'modules/app.bicep' = {
  name: 'app-${unique}'
  params: {
    location: location
    name: appName
    tags: tags
    identityName: identityName
    packageUrl: 'https://${storageName}.blob.${environment().suffixes.storage}/${packageContainer}'
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    subnetId: integrationSubnetId
  }
  dependsOn: [identity, network, storage, storageRoles]
}

module signIn 'modules/sign-in.bicep' = {
  name: 'sign-in-${unique}'
  params: { appName: appName, clientId: operationsClientId }
  dependsOn: [app]
}

module settings 'modules/settings.bicep' = {
  name: 'settings-${unique}'
  params: {
    appName: appName
    storageName: storageName
    appInsightsName: insightsName
    identityName: identityName
    vaultName: hasVault ? vaultName : ''
    patName: patName
    signIn: { devops: devopsAuth, people: empty(operationsClientId) ? 'key' : 'entra' }
    ledgerTable: ledgerTable
    workspaceIds: map(workspaces, workspace => workspace.id)
    outcomesName: outcomeEvents ? outcomesName : ''
    policy: policy
    paused: paused
    more: moreSettings
  }
  // The setting that believes a header of App Service comes after App Service writes it.
  dependsOn: [app, identity, outcomes, secretRoles, signIn, storage, telemetry, telemetryRoles, vaultRoles]
}

module operatorRole 'modules/operator-role.bicep' = if (assignRoles && !empty(operatorsGroupId) && customRoles != 'none') {
  name: 'operator-role-${unique}'
  params: { appName: appName, operatorsGroupId: operators }
  dependsOn: [app]
}

// In the workspaces' own resource groups and subscriptions: a system topic stands in the subscription of its source.
module followed 'modules/workspace.bicep' = [
  for each in found: {
    name: 'workspace-${uniqueString(each.id, unique)}'
    scope: resourceGroup(each.subscription, each.group)
    params: {
      workspaceName: each.name
      newTopic: each.newTopic
      foundTopic: each.topic
      topicResourceGroup: each.topicGroup
      logAnalyticsId: logsId
      appName: appName
      #disable-next-line what-if-short-circuiting // only Azure knows a principal, and a role's name needs it
      appPrincipalId: identity.outputs.principalId
      operatorsGroupId: operators
      assignRoles: assignRoles
      customRole: customRoles == 'all'
      tagRuns: customRoles != 'none' && (policy.?tagRuns ?? false)
    }
    dependsOn: [telemetry]
  }
]

module deadLetters 'modules/dead-letters.bicep' = {
  name: 'dead-letters-${unique}'
  params: {
    storageName: storageName
    container: deadLetterContainer
    keptDays: deadLetterDays
    topicPrincipalIds: [for (each, i) in found: followed[i].outputs.topicPrincipalId]
    assignRoles: assignRoles
  }
  dependsOn: [storage]
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring-${unique}'
  params: {
    location: location
    namePrefix: namePrefix
    tags: tags
    workspaceId: logsId
    appInsightsId: resourceId('Microsoft.Insights/components', insightsName)
    systemTopicIds: topicIds
    alertEmails: alertEmails
    alertWebhooks: alertWebhooks
    noEventHours: noEventHours
  }
  dependsOn: [telemetry]
}

// In the way of azd: outputs become the variables of its environment, and of the steps of a pipeline.

@description('Name of the resource group.')
output AZURE_RESOURCE_GROUP string = resourceGroup().name

@description('Name of the function app.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('Resource id of the function app: what `relay --app` takes.')
output AZURE_FUNCTION_ID string = app.outputs.id

@description('Client id of the app\'s identity.')
output AZURE_FUNCTION_CLIENT_ID string = identity.outputs.clientId

@description('Name of the app\'s identity: what to add to Azure DevOps as a user for devopsAuth entra.')
output AZURE_FUNCTION_IDENTITY_NAME string = identity.outputs.name

@description('Object id of the app\'s identity: what roles are assigned to.')
output AZURE_FUNCTION_PRINCIPAL_ID string = identity.outputs.principalId

@description('Name of the storage account.')
output AZURE_STORAGE_NAME string = storage.outputs.name

@description('Resource id of the storage account: what events.bicep takes.')
output AZURE_STORAGE_ID string = storage.outputs.id

@description('Name of the table that is the ledger.')
output RELAY_LEDGER_TABLE string = ledgerTable

@description('Path of the route file within the package; empty: routes.yaml.')
output RELAY_ROUTES_FILE string = policy.?routesFile ?? ''

@description('URL of the dead letters: what `relay replay --dead-letters` takes.')
output RELAY_DEAD_LETTERS_URL string = deadLetters.outputs.url

@description('Resource ids of the system topics: what events.bicep takes.')
output RELAY_TOPIC_IDS array = [for (each, i) in found: followed[i].outputs.topicId]

@description('Resource id of the topic that gets an event for each outcome; empty where there is none.')
output RELAY_OUTCOME_TOPIC_ID string = outcomeEvents ? outcomes!.outputs.id : ''

@description('Resource id of Application Insights.')
output AZURE_APP_INSIGHTS_ID string = telemetry.outputs.appInsightsId

@description('Resource id of the Log Analytics workspace.')
output AZURE_LOG_ANALYTICS_ID string = telemetry.outputs.workspaceId

@description('Name of the vault; empty where there is none.')
output AZURE_KEY_VAULT_NAME string = hasVault ? vaultName : ''

@description('URL of the vault; empty where there is none.')
output AZURE_KEY_VAULT_URL string = vaultUrl
