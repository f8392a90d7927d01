metadata description = 'The system topic of one workspace: made, or the one that is there already.'

@description('Required. Resource id of the workspace.')
param workspaceId string

@description('Required. Region of the workspace: a system topic stands where its source does.')
param location string

@description('Required. Name of the topic where one is made.')
@minLength(3)
@maxLength(50)
param newName string

@description('Required. Name of the topic that is there already; empty: one is made.')
param foundName string

// Without tags: two apps may share it, and each would write its own.
resource made 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (empty(foundName)) {
  name: newName
  location: location
  identity: { type: 'SystemAssigned' }
  properties: { source: workspaceId, topicType: 'Microsoft.MachineLearningServices.Workspaces' }
}

// Somebody else's: it is read, never written.
resource found 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!empty(foundName)) {
  name: empty(foundName) ? newName : foundName
}

@description('Resource id of the topic.')
output id string = empty(foundName) ? made!.id : found!.id

@description('Object id of the topic\'s identity: what writes dead letters.')
output principalId string = empty(foundName) ? made!.identity.principalId : found!.identity.principalId
