metadata description = 'The right to write tags on the runs of one workspace, for policy.tagRuns.'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = { name: workspaceName }

var roleName = guid(toLower(workspace.id), 'run-relay-run-tagger')

// The built-in roles that may tag a run may also start one.
resource runTagger 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleName
  properties: {
    roleName: 'Run Relay run tagger, ${workspaceName} ${uniqueString(toLower(workspace.id))}'
    description: 'Writes what is logged on runs that are there, tags among it; starts nothing.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      { actions: ['Microsoft.MachineLearningServices/workspaces/experiments/runs/write'] }
    ]
  }
}

resource appTags 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(workspace.id), appPrincipalId, roleName)
  scope: workspace
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
  dependsOn: [runTagger]
}
