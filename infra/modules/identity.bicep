metadata description = 'The identity that the function app is: made first, so that its roles are there before the app.'

@description('Required. Region.')
param location string

@description('Required. Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Required. Tags of every resource.')
param tags object

// User-assigned: it outlives the app, so a rebuilt app has the rights of the old one at once.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id: what the app names when it asks for a token.')
output clientId string = identity.properties.clientId

@description('Object id: what roles are assigned to.')
output principalId string = identity.properties.principalId

@description('Name of the identity: what Azure DevOps lists it by, once it is a user there.')
output name string = identity.name
