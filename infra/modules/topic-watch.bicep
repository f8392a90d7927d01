metadata description = 'What is seen of one system topic: its metrics and failures in Log Analytics, its subscriptions by operators.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the topic.')
param topicName string

@description('Required. Name of the diagnostic setting: one for each app that listens.')
@minLength(1)
@maxLength(260)
param settingName string

@description('Required. Resource id of the Log Analytics workspace.')
param logAnalyticsId string

@description('Required. Object id of the operators\' group; empty: none, or roles are not assigned here.')
param operatorsGroupId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource metrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: settingName
  scope: topic
  properties: {
    workspaceId: logAnalyticsId
    logs: [{ category: 'DeliveryFailures', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource operatorsSubscriptions 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  name: guid(toLower(topic.id), operatorsGroupId, roles.reader)
  scope: topic
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.reader)
  }
}
