// One resource group per environment, with everything that the app needs.
targetScope = 'subscription'

@description('Name of the environment, as azd calls it: staging, production.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources.')
@minLength(1)
param location string

@description('Name of the app: 3 to 40 of a-z, 0-9 and -.')
@minLength(3)
@maxLength(40)
param appName string

@description('Python version of the app.')
param pythonVersion string

@description('Where the runs are kept.')
@allowed(['azure_storage', 'durable_task_scheduler'])
param durableBackend string

@description('How the OIDC subject of the repository that deploys begins (sub_claim_prefix). Empty: nothing is trusted.')
param githubSubjectPrefix string = ''

@description('The GitHub environment that deploys. Empty: it is called as the azd environment is.')
param githubEnvironment string = ''

@description('Instances that are kept warm for durable functions. They are billed all the time; 0: none.')
param alwaysReadyInstances string = '0'

var wish = 'rg-${appName}-${environmentName}'

// Every name that is composed: 1 to 90 characters, and no dot at the end.
var names = {
  group: length(wish) <= 90 && !endsWith(wish, '.') ? wish : '${take(wish, 76)}-${uniqueString(wish)}'
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: names.group
  location: location
  tags: { 'azd-env-name': environmentName }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    appName: appName
    pythonVersion: pythonVersion
    durableBackend: durableBackend
    githubSubjectPrefix: githubSubjectPrefix
    githubEnvironment: empty(githubEnvironment) ? environmentName : githubEnvironment
    alwaysReadyInstances: alwaysReadyInstances
  }
}

output AZURE_FUNCTIONAPP_NAME string = app.outputs.functionAppName
output AZURE_FUNCTIONAPP_URL string = app.outputs.functionAppUrl
output AZURE_CLIENT_ID string = app.outputs.deployClientId
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
