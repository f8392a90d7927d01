using './main.bicep'

// The least of everything, to try it out: nothing always ready, one copy region-wide, short memory of logs.
// AML_WORKSPACE_IDS: resource ids of workspaces, between commas. See README.md for the other variables.

param workspaces = map(split(readEnvironmentVariable('AML_WORKSPACE_IDS'), ','), id => { id: trim(id) })
param namePrefix = 'relay-dev'
param tags = {
  'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
  product: 'run-relay'
}

param devopsAuth = readEnvironmentVariable('RELAY_DEVOPS_AUTH', 'pat')
param policy = { devopsUrl: readEnvironmentVariable('RELAY_DEVOPS_URL', '') }

param instanceMemoryMB = 512
param alwaysReady = []
param storageSku = 'Standard_LRS'
param logDays = 30
param softDeleteDays = 7

param operatorsGroupId = readEnvironmentVariable('RELAY_OPERATORS_GROUP_ID', '')
param operatorsReadPat = true
param operationsClientId = readEnvironmentVariable('RELAY_OPERATIONS_CLIENT_ID', '')
param rotatorId = readEnvironmentVariable('RELAY_PAT_ROTATOR_ID', '')
param rotatorType = readEnvironmentVariable('RELAY_PAT_ROTATOR_TYPE', 'User')

// Nobody is woken for a night without trainings.
param noEventHours = 0
