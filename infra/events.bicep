metadata name = 'Run Relay, event subscriptions'
metadata description = 'One subscription for each function and workspace. After the code: Event Grid looks for the function at once.'

targetScope = 'resourceGroup'

import { aboutId, aboutTwice } from 'modules/checks.bicep'

@description('Required. Resource id of the function app: output AZURE_FUNCTION_ID of main.bicep.')
param functionAppId string

@description('Required. Resource id of the storage account that takes dead letters: output AZURE_STORAGE_ID.')
param storageId string

@description('Required. Resource ids of the workspaces\' system topics: output RELAY_TOPIC_IDS.')
@minLength(1)
param topicIds string[]

@description('Optional. Schema of the events. Another one for a subscription that is there means removing it first.')
@allowed(['EventGridSchema', 'CloudEventSchemaV1_0'])
param eventSchema string = 'EventGridSchema'

@description('Optional. Statuses that are told beside Failed, Canceled and NotResponding. Completed is told by RunCompleted already.')
param moreStatuses ('Completed' | 'Paused' | 'Running' | 'Finalizing' | 'CancelRequested')[] = []

@description('Optional. How often Event Grid tries to deliver an event.')
@minValue(1)
@maxValue(30)
param maxDeliveryAttempts int = 30

@description('Optional. For how many minutes it tries.')
@minValue(1)
@maxValue(1440)
param timeToLiveMinutes int = 1440

// A run that ended well is told by RunCompleted, which has no status to filter by; all else by RunStatusChanged.
var subscriptions = [
  {
    function: 'on_run_completed'
    type: 'Microsoft.MachineLearningServices.RunCompleted'
    filters: []
  }
  {
    function: 'on_run_status_changed'
    type: 'Microsoft.MachineLearningServices.RunStatusChanged'
    filters: [
      {
        operatorType: 'StringIn'
        key: 'data.runStatus'
        values: union(['Failed', 'Canceled', 'NotResponding'], moreStatuses)
      }
    ]
  }
  {
    function: 'on_model_registered'
    type: 'Microsoft.MachineLearningServices.ModelRegistered'
    filters: []
  }
  {
    function: 'on_model_deployed'
    type: 'Microsoft.MachineLearningServices.ModelDeployed'
    filters: []
  }
  {
    function: 'on_dataset_drift_detected'
    type: 'Microsoft.MachineLearningServices.DatasetDriftDetected'
    filters: []
  }
]

// What is wrong is told before anything is made, all of it at once.
var wrong = filter(
  concat(map(topicIds, topicId => aboutId('topicIds', topicId, 'Microsoft.EventGrid/systemTopics')), [
    aboutTwice('topicIds', topicIds)
    aboutId('functionAppId', functionAppId, 'Microsoft.Web/sites')
    aboutId('storageId', storageId, 'Microsoft.Storage/storageAccounts')
  ]),
  words => !empty(words)
)
var isRight = empty(wrong) || bool(fail(join(wrong, '\n')))
var found = map(isRight ? topicIds : [], topicId => toLower(topicId))

module topics 'modules/subscriptions.bicep' = [
  for topicId in found: {
    name: 'events-${uniqueString(topicId, toLower(functionAppId))}'
    scope: resourceGroup(split(topicId, '/')[2], split(topicId, '/')[4])
    params: {
      topicName: last(split(topicId, '/'))
      functionAppId: functionAppId
      storageId: storageId
      deadLetterContainer: 'dead-letters'
      subscriptions: subscriptions
      eventSchema: eventSchema
      maxDeliveryAttempts: maxDeliveryAttempts
      timeToLiveMinutes: timeToLiveMinutes
    }
  }
]

@description('Resource ids of the event subscriptions.')
output RELAY_SUBSCRIPTION_IDS array = [for (topicId, i) in found: topics[i].outputs.ids]
