metadata description = 'One scheduled query rule for each entry of alerts.yaml, and the action group that they call.'

@description('Required. Region of the rules: that of the workspace.')
param location string

@description('Required. What every name begins with.')
param namePrefix string

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Required. Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Required. The KQL by the name of its file.')
param queries object

@description('Required. E-mail addresses to alert.')
param emails array

@description('Required. Webhooks (https URLs) to alert, between commas.')
@secure()
param webhooks string

@description('Optional. Names of alerts that are made but do not fire.')
param switchedOff array = []

// What stands between commas, without blanks and without what is empty.
var urls = filter(map(split(webhooks, ','), url => trim(url)), url => !empty(url))
var alerts = loadYamlContent('../alerts.yaml')

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${namePrefix}-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take(namePrefix, 12)
    enabled: true
    emailReceivers: [
      for (address, i) in emails: { name: 'email-${i}', emailAddress: address, useCommonAlertSchema: true }
    ]
    webhookReceivers: [for (url, i) in urls: { name: 'webhook-${i}', serviceUri: url, useCommonAlertSchema: true }]
  }
}

// Every query has a row for each thing to alert of: those that watch for silence turn it into a row.
// A workspace may not know a table before its first row, hence no validation by the service.
resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in alerts: {
    name: '${namePrefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Run Relay: ${trim(substring(first(split(queries[alert.query], '\n')), 3))}'
      description: 'First: ${alert.first}'
      severity: alert.severity
      enabled: !contains(switchedOff, alert.name)
      scopes: [workspaceId]
      evaluationFrequency: alert.every
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: queries[alert.query]
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [for column in alert.splitBy: { name: column, operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      skipQueryValidation: true
      actions: { actionGroups: [operators.id] }
    }
  }
]
