// One resource group per environment, with everything that the app needs.
targetScope = 'subscription'

@description('Name of the environment, as azd calls it: dev, staging, production.')
@minLength(1)
@maxLength(20)
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

@description('OWNER/NAME of the repository that deploys, for the federated credential. Empty: none.')
param githubRepository string = ''

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${appName}-${environmentName}'
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
    githubRepository: githubRepository
  }
}

output AZURE_FUNCTIONAPP_NAME string = app.outputs.functionAppName
output AZURE_CLIENT_ID string = app.outputs.deployClientId
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
