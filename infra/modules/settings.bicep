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

@description('Required. URL of the vault; empty where none is needed.')
param vaultUrl string

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

@description('Required. Settings of your own, kept as they are.')
param more object

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: appInsightsName }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: identityName }

resource outcomes 'Microsoft.EventGrid/topics@2025-02-15' existing = if (!empty(outcomesName)) {
  name: empty(outcomesName) ? 'none' : outcomesName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

// An empty value is the same as none to the app: its defaults stand once, in functions/settings.py.
var settings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  AZURE_CLIENT_ID: identity.properties.clientId
  AZURE_CLOUD: environment().name
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__clientId: identity.properties.clientId
  AzureWebJobsStorage__credential: 'managedidentity'
  CLAIM_LEASE_SECONDS: string(policy.?claimLeaseSeconds ?? '')
  CREDENTIAL_PAUSE_SECONDS: string(policy.?credentialPauseSeconds ?? '')
  DELIVERY_DEADLINE_SECONDS: string(policy.?deliveryDeadlineSeconds ?? '')
  DEVOPS_API_VERSION: policy.?devopsApiVersion ?? ''
  DEVOPS_AUTH: signIn.devops
  DEVOPS_PAT_SECRET: patName
  DEVOPS_URL: policy.?devopsUrl ?? ''
  IN_DOUBT_GRACE_SECONDS: string(policy.?inDoubtGraceSeconds ?? '')
  KEY_VAULT_URL: vaultUrl
  LEDGER_RETENTION_DAYS: string(policy.?retentionDays ?? '')
  LEDGER_TABLE: ledgerTable
  LEDGER_URL: ''
  OPERATIONS_AUTH: signIn.people
  OUTCOME_TOPIC_ENDPOINT: empty(outcomesName) ? '' : outcomes!.properties.endpoint
  PAUSED: (policy.?paused ?? false) ? '1' : '0'
  RECONCILE_SCHEDULE: policy.?reconcileSchedule ?? ''
  RELAY_OTEL: (policy.?openTelemetry ?? false) ? '1' : '0'
  RESOURCE_MANAGER_URL: policy.?resourceManagerUrl ?? ''
  RETRY_FIRST_SECONDS: string(policy.?retryFirstSeconds ?? '')
  ROUTES_FILE: policy.?routesFile ?? ''
  SWEEP: policy.?sweep ?? ''
  SWEEP_HOURS: string(policy.?sweepHours ?? '')
  SWEEP_SCHEDULE: policy.?sweepSchedule ?? ''
  SWEEP_WORKSPACES: join(workspaceIds, ',')
  TAG_RUNS: (policy.?tagRuns ?? false) ? '1' : '0'
  WAITS: (policy.?waits ?? false) ? '1' : '0'
  WAITS_KEY_SECRET: ''
}
// App and host are switched together: with one of them alone, lines would come twice.
var telemetry = (policy.?openTelemetry ?? false) ? { AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry' } : {}

// This writes the whole set: what somebody added in the portal goes, what stands in `more` stays.
resource all 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(more, settings, telemetry)
}
