metadata description = 'The event subscriptions of one system topic. Each names the app, so that several apps can share a topic.'

@description('A subscription of one function.')
type subscriptionType = {
  @description('Required. Name of the function.')
  function: string

  @description('Required. Type of the events.')
  type: string

  @description('Required. Advanced filters; all must fit.')
  filters: array
}

@description('Required. Name of the system topic.')
param topicName string

@description('Required. Resource id of the function app.')
param functionAppId string

@description('Required. Resource id of the storage account that takes dead letters.')
param storageId string

@description('Required. Container of the dead letters.')
param deadLetterContainer string

@description('Required. What is subscribed to.')
@minLength(1)
param subscriptions subscriptionType[]

@description('Required. Schema of the events.')
@allowed(['EventGridSchema', 'CloudEventSchemaV1_0'])
param eventSchema string

@description('Required. How often Event Grid tries to deliver an event.')
@minValue(1)
@maxValue(30)
param maxDeliveryAttempts int

@description('Required. For how many minutes it tries.')
@minValue(1)
@maxValue(1440)
param timeToLiveMinutes int

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

// One after the other: a topic refuses a second change while the first is under way.
@batchSize(1)
resource made 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for item in subscriptions: {
    parent: topic
    name: take('${toLower(last(split(functionAppId, '/')))}-${replace(item.function, '_', '-')}', 64)
    properties: {
      eventDeliverySchema: eventSchema
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${functionAppId}/functions/${item.function}'
          // One event, one answer: in a batch, one that fails would bring all of them again.
          maxEventsPerBatch: 1
          preferredBatchSizeInKilobytes: 64
        }
      }
      filter: { includedEventTypes: [item.type], advancedFilters: item.filters }
      retryPolicy: { maxDeliveryAttempts: maxDeliveryAttempts, eventTimeToLiveInMinutes: timeToLiveMinutes }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: storageId, blobContainerName: deadLetterContainer }
        }
      }
    }
  }
]

@description('Resource ids of the subscriptions.')
output ids array = [for (item, i) in subscriptions: made[i].id]
