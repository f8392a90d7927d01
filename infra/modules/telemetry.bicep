metadata description = 'Log Analytics and Application Insights, which takes telemetry from identities only.'

@description('Required. Region.')
param location string

@description('Required. Name of the Log Analytics workspace.')
@minLength(4)
@maxLength(63)
param logsName string

@description('Required. Name of Application Insights.')
@maxLength(260)
param insightsName string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

resource logs 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: logsName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    IngestionMode: 'LogAnalytics'
    // The connection string alone then lets nobody send anything: it is an address, no secret.
    DisableLocalAuth: true
  }
}

@description('Resource id of the Log Analytics workspace.')
output workspaceId string = logs.id

@description('Resource id of Application Insights.')
output appInsightsId string = insights.id
