metadata description = 'What a workspace and the policy of the app are: the shapes that parameter files fill in.'

@export()
@description('A workspace whose runs are followed.')
type workspaceType = {
  @description('Required. Resource id of the workspace, in any resource group, region and subscription of the tenant.')
  id: string

  @description('Optional. Name of the system topic that the workspace has already: there can be only one. It must have a system-assigned identity. Left out: one is made.')
  topicName: string?

  @description('Optional. Resource group of that topic, in the workspace\'s subscription. Left out: that of the workspace.')
  topicResourceGroup: string?
}

@export()
@description('How many instances of one function are always there.')
type alwaysReadyType = {
  @description('Required. `function:` and the name of the function.')
  name: string

  @description('Required. How many instances.')
  @minValue(1)
  @maxValue(1000)
  instanceCount: int
}

@export()
@description('Settings of the app that have a default in functions/configuration/settings.py. What is left out is set empty, and that default holds.')
type policyType = {
  @description('Optional. true: keep claiming and deciding, start nothing.')
  paused: bool?

  @description('Optional. true: write the pipeline run\'s link to the AML run. Takes the role Run Relay run tagger.')
  tagRuns: bool?

  @description('Optional. true: export OpenTelemetry, from the app and its host alike.')
  openTelemetry: bool?

  @description('Optional. true: agentless tasks may register at /api/waits; run-relay-waits-key in the vault seals their tokens.')
  waits: bool?

  @description('Optional. Organizations whose tasks may register, by name or address, beside those that the route file names.')
  waitsOrganizations: string[]?

  @description('Optional. Hosts that a channel of `notify:` may be at, beside those of Teams and Slack: hooks.contoso.com, or *.contoso.com.')
  notifyHosts: string[]?

  @description('Optional. What the sweep does with a run that no event told of.')
  sweep: ('start' | 'report' | 'off')?

  @description('Optional. How many hours the sweep looks back.')
  @minValue(1)
  @maxValue(8760)
  sweepHours: int?

  @description('Optional. NCRONTAB of the sweep.')
  sweepSchedule: string?

  @description('Optional. NCRONTAB of the reconciler.')
  reconcileSchedule: string?

  @description('Optional. Into how many parts the schedule of what is open is divided, each of which another instance may work off over a queue; 1: there is none. Beyond 60,000 starts an hour it takes some.')
  @minValue(1)
  @maxValue(64)
  reconcileParts: int?

  @description('Optional. Days that the ledger remembers what ended.')
  @minValue(1)
  @maxValue(3650)
  retentionDays: int?

  @description('Optional. First wait of the backoff, in seconds.')
  @minValue(1)
  @maxValue(86400)
  retryFirstSeconds: int?

  @description('Optional. How long a claim is held, in seconds.')
  @minValue(1)
  @maxValue(86400)
  claimLeaseSeconds: int?

  @description('Optional. How long a request whose answer was lost may still be queued, in seconds.')
  @minValue(1)
  @maxValue(86400)
  inDoubtGraceSeconds: int?

  @description('Optional. How long a refused credential blocks its organization, in seconds.')
  @minValue(1)
  @maxValue(86400)
  credentialPauseSeconds: int?

  @description('Optional. How long one delivery may work, in seconds; Event Grid waits for 30.')
  @minValue(1)
  @maxValue(25)
  deliveryDeadlineSeconds: int?

  @description('Optional. Azure DevOps base URL, where it is not https://dev.azure.com.')
  devopsUrl: string?

  @description('Optional. REST version that an Azure DevOps Server of an older release speaks, such as 7.0.')
  devopsApiVersion: string?

  @description('Optional. Base URL of GitHub\'s REST interface, where it is not https://api.github.com: https://HOST/api/v3 of a server.')
  githubUrl: string?

  @description('Optional. Name of the secret that is a token of GitHub, or the key of a GitHub App, unless a route names another. Named here, it is one that the app may read, and a vault is made for it with devopsAuth entra too.')
  githubSecret: string?

  @description('Optional. Client id of the GitHub App whose key the secret is; left out: the secret is a token.')
  githubAppId: string?

  @description('Optional. Path of the route file within the package. hooks/deploy.sh packs routes*.yaml beside function_app.py, and stops if this is none of them.')
  routesFile: string?

  @description('Optional. Azure Resource Manager\'s URL, where it is not that of the cloud.')
  resourceManagerUrl: string?
}
