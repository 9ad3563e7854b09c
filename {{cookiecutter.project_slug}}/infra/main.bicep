// One resource group per environment, with everything that the apps need. Each app is a module; they share nothing but
// the identity that deploys them.
targetScope = 'subscription'

@description('Name of the environment, as azd calls it: staging, production.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources.')
@minLength(1)
param location string

@description('Name of the project: 3 to 40 of a-z, 0-9 and -.')
@minLength(3)
@maxLength(40)
param projectName string

@description('Names of the apps, each 3 to 40 of a-z, 0-9 and -. `nox -s new-app` adds to them.')
@minLength(1)
param apps array

@description('Python version of the apps.')
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

var wish = 'rg-${projectName}-${environmentName}'

// Every name that is composed: 1 to 90 characters, and no dot at the end.
var names = {
  group: length(wish) <= 90 && !endsWith(wish, '.') ? wish : '${take(wish, 76)}-${uniqueString(wish)}'
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: names.group
  location: location
  tags: { 'azd-env-name': environmentName }
}

module deployer 'deployer.bicep' = {
  name: 'deployer'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    projectName: projectName
    githubSubjectPrefix: githubSubjectPrefix
    githubEnvironment: empty(githubEnvironment) ? environmentName : githubEnvironment
  }
}

module app 'app.bicep' = [
  for name in apps: {
    name: 'app-${name}'
    scope: group
    params: {
      environmentName: environmentName
      location: location
      appName: name
      pythonVersion: pythonVersion
      durableBackend: durableBackend
      deployPrincipalId: deployer.outputs.principalId
      alwaysReadyInstances: alwaysReadyInstances
    }
  }
]

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CLIENT_ID string = deployer.outputs.clientId
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
output AZURE_FUNCTIONAPP_NAME string = app[0].outputs.functionAppName
output AZURE_FUNCTIONAPP_URL string = app[0].outputs.functionAppUrl
output AZURE_FUNCTIONAPP_URLS array = [for (name, place) in apps: '${name} ${app[place].outputs.functionAppUrl}']
