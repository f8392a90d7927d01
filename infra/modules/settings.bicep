metadata description = 'The application settings: all of them, in one object. What is not here is not set on the app.'

import { policyType } from 'types.bicep'

@description('Required. Name of the function app.')
param appName string

@description('Required. Name of the storage account.')
param storageName string
@description('Required. Name of Application Insights.')
param appInsightsName string

@description('Required. Name of the app\'s identity.')
param identityName string

@description('Required. Name of the vault; empty where none is needed.')
param vaultName string

@description('Required. Name of the secret that is the PAT. Never its value.')
param patName string

@description('Required. How the app signs in to Azure DevOps (pat, entra), and people to its page (key, entra).')
param signIn { devops: string, people: string }

@description('Required. Name of the table that is the ledger.')
param ledgerTable string

@description('Required. Resource ids of the workspaces.')
param workspaceIds string[]

@description('Required. Name of the topic that gets an event for each outcome; empty: none.')
param outcomesName string

@description('Required. What else differs from the defaults.')
param policy policyType

@description('Required. Whether the app is paused, whatever policy says.')
param paused bool

@description('Required. Settings of your own, kept as they are.')
param more object

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: appInsightsName }
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: identityName }
resource outcomes 'Microsoft.EventGrid/topics@2025-02-15' existing = if (!empty(outcomesName)) {
  name: empty(outcomesName) ? 'none' : outcomesName
}
resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

// Never empty, and nothing replaces them. Addresses in full: of a name alone, the host makes one of the public cloud.
var settings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  AZURE_CLIENT_ID: identity.properties.clientId
  AZURE_CLOUD: environment().name
  AzureWebJobsStorage__blobServiceUri: 'https://${storageName}.blob.${environment().suffixes.storage}'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: 'https://${storageName}.queue.${environment().suffixes.storage}'
  AzureWebJobsStorage__tableServiceUri: 'https://${storageName}.table.${environment().suffixes.storage}'
  DEVOPS_AUTH: signIn.devops
  DEVOPS_PAT_SECRET: patName
  KEY_VAULT_URL: empty(vaultName)
    ? (more.?KEY_VAULT_URL ?? '')
    : 'https://${vaultName}${environment().suffixes.keyvaultDns}'
  LEDGER_TABLE: ledgerTable
  OPERATIONS_AUTH: signIn.people
  OUTCOME_TOPIC_ENDPOINT: empty(outcomesName) ? (more.?OUTCOME_TOPIC_ENDPOINT ?? '') : outcomes!.properties.endpoint
  PAUSED: (paused || (policy.?paused ?? false)) ? '1' : '0'
  RELAY_OTEL: (policy.?openTelemetry ?? false) ? '1' : '0'
  RUN_RELAY_APP: app.id
  SWEEP_WORKSPACES: join(workspaceIds, ',')
  TAG_RUNS: (policy.?tagRuns ?? false) ? '1' : '0'
  WAITS: (policy.?waits ?? false) ? '1' : '0'
}
// An empty value is none to the app: its defaults stand in functions/configuration/settings.py. What is empty is yours to say.
var optional = {
  CLAIM_LEASE_SECONDS: string(policy.?claimLeaseSeconds ?? '')
  CREDENTIAL_PAUSE_SECONDS: string(policy.?credentialPauseSeconds ?? '')
  DELIVERY_DEADLINE_SECONDS: string(policy.?deliveryDeadlineSeconds ?? '')
  DEVOPS_API_VERSION: policy.?devopsApiVersion ?? ''
  DEVOPS_URL: policy.?devopsUrl ?? ''
  GITHUB_APP_ID: policy.?githubAppId ?? ''
  GITHUB_SECRET: policy.?githubSecret ?? ''
  GITHUB_URL: policy.?githubUrl ?? ''
  IN_DOUBT_GRACE_SECONDS: string(policy.?inDoubtGraceSeconds ?? '')
  LEDGER_RETENTION_DAYS: string(policy.?retentionDays ?? '')
  LEDGER_URL: ''
  NOTIFY_HOSTS: join(policy.?notifyHosts ?? [], ',')
  RECONCILE_PARTS: string(policy.?reconcileParts ?? '')
  RECONCILE_SCHEDULE: policy.?reconcileSchedule ?? ''
  RESOURCE_MANAGER_URL: policy.?resourceManagerUrl ?? ''
  RETRY_FIRST_SECONDS: string(policy.?retryFirstSeconds ?? '')
  ROUTES_FILE: policy.?routesFile ?? ''
  SWEEP: policy.?sweep ?? ''
  SWEEP_HOURS: string(policy.?sweepHours ?? '')
  SWEEP_SCHEDULE: policy.?sweepSchedule ?? ''
  WAITS_KEY_SECRET: ''
  WAITS_ORGANIZATIONS: join(policy.?waitsOrganizations ?? [], ',')
}
var chosen = toObject(filter(items(optional), one => !empty(one.value)), one => one.key, one => one.value)
// App and host are switched together: with one of them alone, lines would come twice.
var telemetry = (policy.?openTelemetry ?? false) ? { AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry' } : {}

// This writes the whole set: what somebody added in the portal goes, what stands in `more` stays.
resource all 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(optional, more, chosen, settings, telemetry)
}
