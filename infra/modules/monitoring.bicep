metadata description = 'Alerts, a workbook and saved queries, all from the KQL in infra/queries.'

@description('Required. Region of the alert rules and the workbook: that of the Log Analytics workspace.')
param location string

@description('Required. What every name begins with.')
@minLength(2)
@maxLength(16)
param namePrefix string

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Required. Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Required. Resource id of the Application Insights component: others may share its workspace.')
param appInsightsId string

@description('Required. Resource ids of the Event Grid system topics whose metrics and delivery failures reach the workspace.')
param systemTopicIds array

@description('Optional. E-mail addresses to alert.')
param alertEmails array = []

@description('Optional. Webhooks (https URLs) to alert, between commas. Such an address is often a key, so it is shown nowhere.')
@secure()
param alertWebhooks string = ''

@description('Optional. How many hours without any event are worth an alert; 0 turns that alert off.')
@minValue(0)
@maxValue(47)
param noEventHours int = 24

var asWritten = {
  'continuation-failed': loadTextContent('../queries/continuation-failed.kql')
  'continuations-by-state': loadTextContent('../queries/continuations-by-state.kql')
  'credential-days': loadTextContent('../queries/credential-days.kql')
  'credential-expiring': loadTextContent('../queries/credential-expiring.kql')
  'credential-refused': loadTextContent('../queries/credential-refused.kql')
  'dead-letters': loadTextContent('../queries/dead-letters.kql')
  'delivery-failures': loadTextContent('../queries/delivery-failures.kql')
  'duplicate-start': loadTextContent('../queries/duplicate-start.kql')
  exceptions: loadTextContent('../queries/exceptions.kql')
  'failures-by-reason': loadTextContent('../queries/failures-by-reason.kql')
  'given-up': loadTextContent('../queries/given-up.kql')
  'no-event': replace(loadTextContent('../queries/no-event.kql'), 'ago(24h)', 'ago(${noEventHours}h)')
  'open-too-long': loadTextContent('../queries/open-too-long.kql')
  overdue: loadTextContent('../queries/overdue.kql')
  parked: loadTextContent('../queries/parked.kql')
  'reconciler-silent': loadTextContent('../queries/reconciler-silent.kql')
  'routes-unreadable': loadTextContent('../queries/routes-unreadable.kql')
  'run-story': loadTextContent('../queries/run-story.kql')
  'start-latency': loadTextContent('../queries/start-latency.kql')
  'wait-lost': loadTextContent('../queries/wait-lost.kql')
}
var ofTheApp = mapValues(asWritten, text => replace(text, 'APPLICATION_INSIGHTS_ID', appInsightsId))
var queries = mapValues(ofTheApp, text => replace(text, 'SYSTEM_TOPIC_IDS', join(systemTopicIds, '", "')))

module alerts 'alerts.bicep' = {
  name: '${namePrefix}-alerts'
  params: {
    location: location
    namePrefix: namePrefix
    tags: tags
    workspaceId: workspaceId
    queries: queries
    emails: alertEmails
    webhooks: alertWebhooks
    switchedOff: noEventHours == 0 ? ['no-event'] : []
  }
}

module workbook 'workbook.bicep' = {
  name: '${namePrefix}-workbook'
  params: { location: location, namePrefix: namePrefix, tags: tags, workspaceId: workspaceId, queries: queries }
}

module saved 'queries.bicep' = {
  name: '${namePrefix}-queries'
  params: { location: location, namePrefix: namePrefix, tags: tags, queries: queries }
}

@description('Resource id of the workbook.')
output workbookId string = workbook.outputs.id
