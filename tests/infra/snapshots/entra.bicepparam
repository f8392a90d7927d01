using '../../../infra/main.bicep'

// No PAT and no vault; people sign in, outcomes are told, and the policy is as far from its defaults as it can be.
param workspaces = [
  {
    id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/churn'
  }
]
param devopsAuth = 'entra'
param operationsClientId = 'abcdef22-2222-2222-2222-222222222223'
param outcomeEvents = true
param moreSettings = {
  AzureFunctionsJobHost__logging__logLevel__default: 'Warning'
  DEVOPS_PAT_SECRET: 'ours-holds'
  SWEEP_HOURS: '1'
  WAITS_KEY_SECRET: 'our-key'
}
param noEventHours = 0
param policy = {
  claimLeaseSeconds: 61
  credentialPauseSeconds: 62
  deliveryDeadlineSeconds: 20
  devopsApiVersion: '7.0'
  devopsUrl: 'https://devops.example.com/tfs'
  githubAppId: 'Iv23liAbC4dEfGh'
  githubUrl: 'https://github.example.com/api/v3'
  inDoubtGraceSeconds: 63
  openTelemetry: true
  paused: true
  reconcileParts: 8
  reconcileSchedule: '0 */2 * * * *'
  resourceManagerUrl: 'https://management.example.com'
  retentionDays: 30
  retryFirstSeconds: 64
  routesFile: 'routes-live.yaml'
  sweep: 'report'
  sweepHours: 12
  sweepSchedule: '0 0 */2 * * *'
  notifyHosts: ['hooks.contoso.com', '*.example.com']
  waitsOrganizations: ['Default', 'https://dev.azure.com/contoso']
}
