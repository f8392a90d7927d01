metadata description = 'Every query, to be picked in Log Analytics: Queries hub, query packs.'

@description('Required. Region of the query pack.')
param location string

@description('Required. What every name begins with.')
param namePrefix string

@description('Optional. Tags of the query pack.')
param tags object = {}

@description('Required. The KQL by the name of its file; its first line, a comment, is the title.')
param queries object

// A query pack and no savedSearches: those answer 409 when they are deployed again.
// https://github.com/MicrosoftDocs/azure-docs/issues/49275
resource pack 'Microsoft.OperationalInsights/queryPacks@2025-07-01' = {
  name: '${namePrefix}-queries'
  location: location
  tags: tags
  properties: {}
}

resource saved 'Microsoft.OperationalInsights/queryPacks/queries@2025-07-01' = [
  for query in items(queries): {
    parent: pack
    name: guid(toLower(pack.id), query.key)
    properties: {
      displayName: 'Run Relay: ${trim(substring(first(split(query.value, '\n')), 3))}'
      description: query.key
      body: query.value
      related: {
        categories: ['applications']
        resourceTypes: ['microsoft.insights/components', 'microsoft.operationalinsights/workspaces']
      }
      tags: { product: ['run-relay'] }
    }
  }
]
