metadata description = 'All that is done in the resource group of one workspace: rights to read its runs, and its system topic.'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Name of the system topic where one is made.')
param newTopic string

@description('Required. Name of the system topic that the workspace has already; empty: one is made.')
param foundTopic string

@description('Required. Resource group of that topic.')
param topicResourceGroup string

@description('Required. Resource id of the Log Analytics workspace that gets the topic\'s metrics.')
param logAnalyticsId string

@description('Required. Name of the function app: the diagnostic setting is called after it.')
param appName string

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object id of the operators\' group; empty: none.')
param operatorsGroupId string

@description('Required. Whether roles are assigned here.')
param assignRoles bool

@description('Required. Whether the role is one of our own in place of Reader.')
param customRole bool

@description('Required. Whether the app may write tags on runs.')
param tagRuns bool

resource workspace 'Microsoft.MachineLearningServices/workspaces@2026-05-01' existing = { name: workspaceName }

module runs 'workspace-roles.bicep' = if (assignRoles) {
  name: 'runs-${uniqueString(toLower(workspace.id), appName)}'
  params: {
    workspaceName: workspaceName
    appPrincipalId: appPrincipalId
    operatorsGroupId: operatorsGroupId
    customRole: customRole
  }
}

module runTags 'run-tagger.bicep' = if (assignRoles && tagRuns) {
  name: 'tags-${uniqueString(toLower(workspace.id), appName)}'
  params: { workspaceName: workspaceName, appPrincipalId: appPrincipalId }
}

module topic 'topic.bicep' = {
  name: 'topic-${uniqueString(toLower(workspace.id), appName)}'
  scope: resourceGroup(topicResourceGroup)
  params: {
    workspaceId: workspace.id
    location: workspace.location
    newName: newTopic
    foundName: foundTopic
  }
}

module watch 'topic-watch.bicep' = {
  name: 'watch-${uniqueString(toLower(workspace.id), appName)}'
  scope: resourceGroup(topicResourceGroup)
  params: {
    topicName: empty(foundTopic) ? newTopic : foundTopic
    settingName: appName
    logAnalyticsId: logAnalyticsId
    operatorsGroupId: assignRoles ? operatorsGroupId : ''
  }
  dependsOn: [topic]
}

@description('Resource id of the topic.')
output topicId string = topic.outputs.id

@description('Object id of the topic\'s identity.')
output topicPrincipalId string = topic.outputs.principalId
