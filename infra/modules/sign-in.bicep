metadata description = 'Whether App Service signs people in who open the operations page; the page itself then says who is let in.'

@description('Required. Name of the function app.')
param appName string

@description('Required. Client id of the Entra application that people sign in to; empty: nobody is signed in, the page asks for a function key.')
param clientId string

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

var isOn = !empty(clientId)
var entra = {
  enabled: true
  registration: {
    clientId: clientId
    openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  }
  validation: { allowedAudiences: [clientId, 'api://${clientId}'] }
}

var everybody = { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
// Who cannot sign in has a key of its own: Event Grid, tasks that register, and who asks the host.
var people = {
  requireAuthentication: true
  unauthenticatedClientAction: 'RedirectToLoginPage'
  redirectToProvider: 'azureactivedirectory'
  excludedPaths: ['/runtime/webhooks/*', '/api/waits', '/admin/*']
}

// It stays on without a provider, too: App Service then strips the header that tells who came, so that
// there is no moment in which anybody could send it.
resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: isOn ? people : everybody
    identityProviders: isOn ? { azureActiveDirectory: entra } : {}
    login: { tokenStore: { enabled: false } }
    httpSettings: { requireHttps: true }
  }
}
