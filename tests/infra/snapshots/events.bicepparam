using '../../../infra/events.bicep'

// Two topics in two subscriptions.
param functionAppId = '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/relay/providers/Microsoft.Web/sites/func-relay'
param storageId = '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/relay/providers/Microsoft.Storage/storageAccounts/strelay'
param topicIds = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.EventGrid/systemTopics/evgt-churn'
  '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/ml/providers/Microsoft.EventGrid/systemTopics/evgt-churn'
]
param moreStatuses = ['Paused']
