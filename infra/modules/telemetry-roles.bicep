metadata description = 'Who may send telemetry, and who may read it.'

var roles = loadJsonContent('roles.json')

@description('Required. Name of the Log Analytics workspace.')
param workspaceName string

@description('Required. Name of Application Insights.')
param appInsightsName string

@description('Required. Object id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object ids of the groups that read: operators and readers.')
param groupIds string[]

resource logs 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: appInsightsName }

resource appTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(insights.id), appPrincipalId, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

resource groupsLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for groupId in groupIds: {
    name: guid(toLower(logs.id), groupId, roles.logAnalyticsReader)
    scope: logs
    properties: {
      principalId: groupId
      principalType: 'Group'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
    }
  }
]

// A workbook stands in the resource group: its name is a guid that only its module knows.
resource groupsWorkbook 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for groupId in groupIds: {
    name: guid(toLower(resourceGroup().id), groupId, roles.workbookReader)
    properties: {
      principalId: groupId
      principalType: 'Group'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.workbookReader)
    }
  }
]
