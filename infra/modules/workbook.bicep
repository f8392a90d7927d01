metadata description = 'workbook.json with the queries put in: there, a query is the name of its file.'

@description('Required. Region of the workbook.')
param location string

@description('Required. What every name begins with.')
param namePrefix string

@description('Optional. Tags of the workbook.')
param tags object = {}

@description('Required. Resource id of the Log Analytics workspace that the queries are asked of.')
param workspaceId string

@description('Required. The KQL by the name of its file.')
param queries object

var asWritten = any(loadJsonContent('../workbook.json'))
var asked = [
  for item in asWritten.items: item.type == 3
    ? union(item, { content: { query: queries[item.content.query], crossComponentResources: [workspaceId] } })
    : item
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(toLower(resourceGroup().id), namePrefix, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Run Relay (${namePrefix})'
    description: 'What runs started, what failed, what waits, and how long the credentials last.'
    category: 'workbook'
    version: asWritten.version
    sourceId: workspaceId
    serializedData: string(union(asWritten, { items: asked, fallbackResourceIds: [workspaceId] }))
  }
}

@description('Resource id of the workbook.')
output id string = workbook.id
