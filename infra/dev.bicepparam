using './main.bicep'

// The least of everything, to try it out: nothing always ready, one copy region-wide, short memory of logs.
// AML_WORKSPACE_IDS: resource ids of workspaces, between commas. See README.md for the other variables.

// What stands between commas, without blanks and without what is empty.
var workspaceIds = filter(
  map(split(readEnvironmentVariable('AML_WORKSPACE_IDS', ''), ','), id => trim(id)),
  id => !empty(id)
)
var emails = filter(
  map(split(readEnvironmentVariable('RELAY_ALERT_EMAILS', ''), ','), mail => trim(mail)),
  mail => !empty(mail)
)

// A pipeline and azd may set a variable empty: that is the same as not at all.
var devopsAuthSet = trim(readEnvironmentVariable('RELAY_DEVOPS_AUTH', ''))
var rotatorTypeSet = trim(readEnvironmentVariable('RELAY_PAT_ROTATOR_TYPE', ''))
var environmentSet = trim(readEnvironmentVariable('AZURE_ENV_NAME', ''))

param workspaces = map(workspaceIds, id => { id: id })
param namePrefix = 'relay-dev'
param tags = {
  'azd-env-name': empty(environmentSet) ? 'dev' : environmentSet
  product: 'run-relay'
}

param devopsAuth = empty(devopsAuthSet) ? 'pat' : any(devopsAuthSet)
param policy = {
  devopsUrl: trim(readEnvironmentVariable('RELAY_DEVOPS_URL', ''))
  githubAppId: trim(readEnvironmentVariable('RELAY_GITHUB_APP_ID', ''))
  githubSecret: trim(readEnvironmentVariable('RELAY_GITHUB_SECRET', ''))
  githubUrl: trim(readEnvironmentVariable('RELAY_GITHUB_URL', ''))
}
param vaultId = trim(readEnvironmentVariable('RELAY_VAULT_ID', ''))

param instanceMemoryMB = 512
param alwaysReady = []
param storageSku = 'Standard_LRS'
param logDays = 30
param softDeleteDays = 7

param operatorsGroupId = trim(readEnvironmentVariable('RELAY_OPERATORS_GROUP_ID', ''))
param operatorsReadPat = true
param readersGroupId = trim(readEnvironmentVariable('RELAY_READERS_GROUP_ID', ''))
param operationsClientId = trim(readEnvironmentVariable('RELAY_OPERATIONS_CLIENT_ID', ''))
param rotatorId = trim(readEnvironmentVariable('RELAY_PAT_ROTATOR_ID', ''))
param rotatorType = empty(rotatorTypeSet) ? 'User' : any(rotatorTypeSet)

param integrationSubnetId = trim(readEnvironmentVariable('RELAY_INTEGRATION_SUBNET_ID', ''))
param endpointSubnetId = trim(readEnvironmentVariable('RELAY_ENDPOINT_SUBNET_ID', ''))
param dnsZonesGroupId = trim(readEnvironmentVariable('RELAY_DNS_ZONES_GROUP_ID', ''))

param alertEmails = emails
// Nobody is woken for a night without trainings.
param noEventHours = 0
