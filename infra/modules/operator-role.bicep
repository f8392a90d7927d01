metadata description = 'What operators may do with the function app: read its settings and its sign-in, and send it a probe.'

@description('Required. Name of the function app.')
param appName string

@description('Required. Object id of the operators\' group.')
@minLength(1)
param operatorsGroupId string

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

var roleName = guid(toLower(app.id), 'run-relay-operator')

// No built-in role lists settings without being allowed to change the app as well.
resource operator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleName
  properties: {
    roleName: 'Run Relay operator, ${appName}'
    description: 'Reads the settings of the app, how people sign in, and the key that a probe is sent with; changes nothing.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Web/sites/read'
          'Microsoft.Web/sites/config/read'
          'Microsoft.Web/sites/config/list/action'
          'Microsoft.Web/sites/host/listkeys/action'
        ]
      }
    ]
  }
}

resource operatorsApp 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(app.id), operatorsGroupId, roleName)
  scope: app
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
  dependsOn: [operator]
}
