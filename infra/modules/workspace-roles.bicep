metadata description = 'Who may read the runs and models of one workspace.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object id of the operators\' group; empty: none.')
param operatorsGroupId string

@description('Required. true: a role of our own, which cannot see datastore credentials, in place of Reader.')
param customRole bool

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = { name: workspaceName }

var customRoleName = guid(toLower(workspace.id), 'run-relay-run-reader')
var roleName = customRole ? customRoleName : roles.reader
var provider = 'Microsoft.MachineLearningServices/workspaces'

// https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles#mlflow-operations
resource runReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (customRole) {
  name: customRoleName
  properties: {
    roleName: 'Run Relay run reader, ${workspaceName} ${uniqueString(toLower(workspace.id))}'
    description: 'Reads the workspace, its experiments, runs, jobs and registered models; changes nothing.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          '${provider}/read'
          '${provider}/experiments/read'
          '${provider}/experiments/runs/read'
          '${provider}/jobs/read'
          '${provider}/models/read'
          '${provider}/models/versions/read'
          '${provider}/metadata/artifacts/read'
        ]
      }
    ]
  }
}

resource appRuns 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(workspace.id), appPrincipalId, roleName)
  scope: workspace
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
  dependsOn: [runReader]
}

resource operatorsRuns 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(workspace.id), operatorsGroupId, roleName)
  scope: workspace
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
  dependsOn: [runReader]
}
