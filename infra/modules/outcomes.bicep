metadata description = 'The topic that gets an event for each outcome, for whoever wants to subscribe.'

var roles = loadJsonContent('roles.json')

@description('Required. Region.')
param location string

@description('Required. Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Object id of the app\'s identity: the only one that may send.')
param appPrincipalId string

@description('Required. Whether roles are assigned here.')
param assignRoles bool

resource outcomes 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
  }
}

resource appOutcomes 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  name: guid(toLower(outcomes.id), appPrincipalId, roles.eventGridDataSender)
  scope: outcomes
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
  }
}

@description('Resource id of the topic: what is subscribed to.')
output id string = outcomes.id

@description('Where events are sent to.')
output endpoint string = outcomes.properties.endpoint
