// The identity as which the pipeline deploys: it is allowed to deploy the apps, and nothing else.
param environmentName string
param location string
param projectName string
param githubSubjectPrefix string
param githubEnvironment string

// Every name that is composed.
var names = {
  deployIdentity: 'id-${projectName}-deploy-${uniqueString(resourceGroup().id)}' // 3 to 128 characters
  githubCredential: 'github-${uniqueString(environmentName)}' // 3 to 120
}

resource deployIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: names.deployIdentity
  location: location
}

resource githubCredential 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = if (!empty(githubSubjectPrefix)) {
  parent: deployIdentity
  name: names.githubCredential
  properties: {
    issuer: 'https://token.actions.githubusercontent.com'
    subject: '${githubSubjectPrefix}:environment:${githubEnvironment}' // compared with case
    audiences: ['api://AzureADTokenExchange']
  }
}

output principalId string = deployIdentity.properties.principalId
output clientId string = deployIdentity.properties.clientId
