//! The documents clients discover this server by, made from the facts that also drive it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::policy::{AuthorizationServer, Policy};
use super::refusal::Refusal;
use crate::domain::access_token::SIGNING_ALGORITHM;
use crate::domain::audit::AuditEvent;
use crate::domain::client::{ClientAuthMethod, GrantType};
use crate::domain::client_keys::AssertionAlgorithm;
use crate::domain::public_address::{AskedAddress, PublicAddress, PublishedEndpoint};
use crate::domain::resource::ResourceDocument;
use crate::port::{AuditLog, ProviderMetadata, ProviderUnavailable};

/// Makes the documents.
pub struct Metadata {
    pub(super) address: Arc<PublicAddress>,
    pub(super) policy: Arc<Policy>,
    pub(super) audit: Arc<dyn AuditLog>,
    /// `None` where this server issues the tokens.
    pub(super) providers: Option<Arc<dyn ProviderMetadata>>,
}

/// Protected resource metadata (RFC 9728 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProtectedResourceMetadata {
    /// The resource as it was asked for.
    pub resource: String,
    /// Issuers whose tokens are accepted.
    pub authorization_servers: Vec<String>,
    /// The minimal set.
    pub scopes_supported: Vec<String>,
    /// Only `header`.
    pub bearer_methods_supported: Vec<&'static str>,
    /// For people.
    pub resource_name: String,
    /// The page that documents the resource.
    pub resource_documentation: String,
}

/// Authorization server metadata (RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizationServerMetadata {
    /// Byte for byte the `iss` of every token and answer.
    pub issuer: String,
    /// RFC 6749 §3.1.
    pub authorization_endpoint: String,
    /// RFC 6749 §3.2.
    pub token_endpoint: String,
    /// RFC 7591 §3; absent when clients can't register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Where the signing keys are.
    pub jwks_uri: String,
    /// RFC 7009.
    pub revocation_endpoint: String,
    /// How clients authenticate there.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How they sign there, with `private_key_jwt`.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// RFC 7662.
    pub introspection_endpoint: String,
    /// How resource servers authenticate there.
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How they sign there, with `private_key_jwt`.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// OpenID Connect Core §5.3.
    pub userinfo_endpoint: String,
    /// Everything a client may ask for.
    pub scopes_supported: Vec<String>,
    /// Only `code`.
    pub response_types_supported: Vec<&'static str>,
    /// Only `query`.
    pub response_modes_supported: Vec<&'static str>,
    /// The grants of the token endpoint.
    pub grant_types_supported: Vec<&'static str>,
    /// How clients authenticate there.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How they sign there, with `private_key_jwt`.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Present when a client may be the address of its metadata document
    /// (draft-ietf-oauth-client-id-metadata-document §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_metadata_document_supported: Option<bool>,
    /// Only `S256` (RFC 7636).
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// RFC 9207: answers carry `iss`.
    pub authorization_response_iss_parameter_supported: bool,
    /// For developers.
    pub service_documentation: String,
}

/// The same facts as an OpenID provider document (OpenID Connect Discovery §3), for clients that
/// look only there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenIdConfiguration {
    /// What RFC 8414 has too.
    #[serde(flatten)]
    pub server: AuthorizationServerMetadata,
    /// A required member: subjects are the same for every client.
    pub subject_types_supported: Vec<&'static str>,
    /// A required member, although this server issues no ID tokens.
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
}

/// Where clients look for the authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerDocument {
    /// RFC 8414 §3.
    OAuth,
    /// OpenID Connect Discovery §4.
    OpenId,
}

/// What they find there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DiscoveredServer {
    /// This server, in the words of RFC 8414.
    Own(Box<AuthorizationServerMetadata>),
    /// This server, in the words of OpenID Connect.
    OwnOpenId(Box<OpenIdConfiguration>),
    /// What the provider says of itself.
    Provider(Map<String, Value>),
}

impl Metadata {
    /// One of the resource's documents, for a caller who spelled the address like that.
    #[must_use]
    pub fn protected_resource(
        &self,
        address: &AskedAddress,
        document: ResourceDocument,
        trailing_slash: bool,
    ) -> ProtectedResourceMetadata {
        ProtectedResourceMetadata {
            resource: address.resource(document, trailing_slash),
            authorization_servers: self.authorization_servers(),
            scopes_supported: names(self.policy.scopes.default.iter()),
            bearer_methods_supported: vec!["header"],
            resource_name: self.policy.server_name.clone(),
            resource_documentation: self.address.endpoint(PublishedEndpoint::Docs),
        }
    }

    fn authorization_servers(&self) -> Vec<String> {
        let issuers = match &self.policy.authorization_server {
            AuthorizationServer::Local => std::slice::from_ref(self.address.issuer()),
            AuthorizationServer::Providers(issuers) => issuers,
        };
        issuers.iter().map(|issuer| issuer.as_str().to_owned()).collect()
    }

    /// What a client finds that looks for the authorization server here. Where that is a provider, it
    /// is a copy of what the provider says of itself, its issuer and all: clients of MCP 2025-03-26
    /// look nowhere else than at the origin of the resource.
    ///
    /// # Errors
    /// [`ProviderUnavailable`], recorded in the audit log.
    pub async fn discover(
        &self,
        document: ServerDocument,
    ) -> Result<DiscoveredServer, ProviderUnavailable> {
        if let Some(providers) = &self.providers {
            return match providers.metadata().await {
                Ok(document) => Ok(DiscoveredServer::Provider(document)),
                Err(error) => {
                    self.audit.record(AuditEvent::new(Refusal::Provider(&error).decision()));
                    Err(error)
                }
            };
        }
        Ok(match document {
            ServerDocument::OAuth => DiscoveredServer::Own(Box::new(self.authorization_server())),
            ServerDocument::OpenId => {
                DiscoveredServer::OwnOpenId(Box::new(self.openid_configuration()))
            }
        })
    }

    /// The document of this authorization server.
    #[must_use]
    pub fn authorization_server(&self) -> AuthorizationServerMetadata {
        let endpoint = |endpoint| self.address.endpoint(endpoint);
        let registers = !self.policy.registration.mode.is_off();
        let methods = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str).to_vec();
        let none = ClientAuthMethod::None.as_str();
        let confidential = methods.iter().copied().filter(|method| *method != none).collect();
        let algorithms = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str).to_vec();
        let reads_documents = self.policy.client_documents.is_on();
        AuthorizationServerMetadata {
            issuer: self.address.issuer().as_str().to_owned(),
            authorization_endpoint: endpoint(PublishedEndpoint::Authorization),
            token_endpoint: endpoint(PublishedEndpoint::Token),
            registration_endpoint: registers.then(|| endpoint(PublishedEndpoint::Registration)),
            jwks_uri: endpoint(PublishedEndpoint::Jwks),
            revocation_endpoint: endpoint(PublishedEndpoint::Revocation),
            revocation_endpoint_auth_methods_supported: methods.clone(),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            introspection_endpoint: endpoint(PublishedEndpoint::Introspection),
            introspection_endpoint_auth_methods_supported: confidential,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            userinfo_endpoint: endpoint(PublishedEndpoint::Userinfo),
            scopes_supported: names(self.policy.scopes.all().iter()),
            response_types_supported: vec!["code"],
            response_modes_supported: vec!["query"],
            grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
            token_endpoint_auth_methods_supported: methods,
            token_endpoint_auth_signing_alg_values_supported: algorithms,
            client_id_metadata_document_supported: reads_documents.then_some(true),
            code_challenge_methods_supported: vec!["S256"],
            authorization_response_iss_parameter_supported: true,
            service_documentation: endpoint(PublishedEndpoint::Docs),
        }
    }

    /// The same in the words of OpenID Connect.
    #[must_use]
    pub fn openid_configuration(&self) -> OpenIdConfiguration {
        OpenIdConfiguration {
            server: self.authorization_server(),
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: vec![SIGNING_ALGORITHM],
        }
    }
}

fn names<'a>(scopes: impl Iterator<Item = &'a crate::domain::scope::Scope>) -> Vec<String> {
    scopes.map(|scope| scope.as_str().to_owned()).collect()
}
