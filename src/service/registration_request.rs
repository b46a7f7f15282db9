//! What a client asks to be registered as (RFC 7591 §2), read member by member.

use serde_json::{Map, Value};

use super::policy::ScopePolicy;
use super::register::RegistrationError;
use crate::domain::client::{ClientAuthMethod, ClientMetadata, GrantType};
use crate::domain::client_name::presentable;
use crate::domain::json_depth::nests_deeper_than;
use crate::domain::jwt::UnverifiedJwt;
use crate::domain::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::domain::scope::ScopeSet;

/// How many redirect addresses one client may register.
pub(super) const MOST_REDIRECT_URIS: usize = 10;

/// How deeply the members of a registration may nest, the object around them not counted; those that
/// are read need three levels, for the keys of a client.
const DEEPEST_MEMBER: usize = 16;

/// The longest free text a client may say of itself, in characters.
const LONGEST_TEXT: usize = 2048;

/// The members of a registration request. Unknown ones are ignored (RFC 7591 §2), `client_id` among
/// them.
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn parse(body: &[u8]) -> Result<Self, RegistrationError> {
        let members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| RegistrationError::NotAnObject(error.to_string()))?;
        if members.values().any(|member| nests_deeper_than(DEEPEST_MEMBER, member)) {
            let reason = format!("it nests deeper than {DEEPEST_MEMBER} levels");
            return Err(RegistrationError::NotAnObject(reason));
        }
        match members.get("software_statement") {
            None | Some(Value::Null) => Ok(Self(members)),
            Some(Value::String(statement)) if UnverifiedJwt::parse(statement).is_ok() => {
                Err(RegistrationError::UnapprovedSoftwareStatement)
            }
            Some(_) => Err(RegistrationError::InvalidSoftwareStatement),
        }
    }

    pub(super) fn metadata(
        &self,
        scopes: &ScopePolicy,
    ) -> Result<ClientMetadata, RegistrationError> {
        let redirect_uris = self.redirect_uris()?;
        self.response_types()?;
        let application_type = self.application_type(&redirect_uris)?;
        Ok(ClientMetadata {
            client_name: self.text("client_name")?.and_then(|name| presentable(&name)),
            client_uri: self.web_page("client_uri")?,
            redirect_uris,
            grant_types: self.grant_types()?,
            scope: self.scope(scopes)?,
            application_type,
            software_id: self.text("software_id")?,
            software_version: self.text("software_version")?,
        })
    }

    /// Whether a member is there at all.
    pub(super) fn has(&self, member: &str) -> bool {
        self.0.get(member).is_some_and(|value| !value.is_null())
    }

    fn redirect_uris(&self) -> Result<Vec<RedirectUri>, RegistrationError> {
        let spelled = self.texts("redirect_uris")?.unwrap_or_default();
        if spelled.is_empty() || spelled.len() > MOST_REDIRECT_URIS {
            let reason = format!("1 to {MOST_REDIRECT_URIS} are needed, {} sent", spelled.len());
            return Err(RegistrationError::RedirectUri(reason));
        }
        let parse = |uri: String| {
            RedirectUri::parse(&uri).map_err(|why: InvalidRedirectUri| {
                RegistrationError::RedirectUri(format!("{uri:?} {why}"))
            })
        };
        spelled.into_iter().map(parse).collect()
    }

    pub(super) fn auth_method(&self) -> Result<ClientAuthMethod, RegistrationError> {
        const MEMBER: &str = "token_endpoint_auth_method";
        let Some(name) = self.text(MEMBER)? else { return Ok(ClientAuthMethod::ClientSecretBasic) };
        ClientAuthMethod::from_name(&name)
            .ok_or_else(|| wrong(MEMBER, format!("{name:?} is not supported")))
    }

    /// Grant types this server has not are left out; the answer says what was taken.
    fn grant_types(&self) -> Result<Vec<GrantType>, RegistrationError> {
        const MEMBER: &str = "grant_types";
        let Some(names) = self.texts(MEMBER)? else {
            return Ok(vec![GrantType::AuthorizationCode]);
        };
        let mut known: Vec<_> = names
            .iter()
            .filter_map(|name| GrantType::from_name(name))
            // Whoever may register would get tokens without anybody's consent.
            .filter(|grant| *grant != GrantType::ClientCredentials)
            .collect();
        known.sort_unstable();
        known.dedup();
        if !known.contains(&GrantType::AuthorizationCode) {
            return Err(wrong(MEMBER, "authorization_code is needed with response_types code"));
        }
        Ok(known)
    }

    fn response_types(&self) -> Result<(), RegistrationError> {
        const MEMBER: &str = "response_types";
        match self.texts(MEMBER)? {
            Some(names) if !names.iter().any(|name| name == "code") => {
                Err(wrong(MEMBER, "only code is supported"))
            }
            _ => Ok(()),
        }
    }

    /// OpenID Connect Registration §2: `web` has https addresses only.
    fn application_type(
        &self,
        redirect_uris: &[RedirectUri],
    ) -> Result<Option<String>, RegistrationError> {
        const MEMBER: &str = "application_type";
        let Some(kind) = self.text(MEMBER)? else { return Ok(None) };
        match kind.as_str() {
            "native" => Ok(Some(kind)),
            "web" => match redirect_uris.iter().find(|uri| !uri.as_str().starts_with("https://")) {
                None => Ok(Some(kind)),
                Some(uri) => {
                    let reason =
                        format!("\"{uri}\" is not https, which application_type web needs");
                    Err(RegistrationError::RedirectUri(reason))
                }
            },
            _ => Err(wrong(MEMBER, "web or native")),
        }
    }

    fn scope(&self, scopes: &ScopePolicy) -> Result<Option<ScopeSet>, RegistrationError> {
        let Some(text) = self.text("scope")? else { return Ok(None) };
        let asked = ScopeSet::parse(&text).map_err(|error| wrong("scope", error.to_string()))?;
        Ok(Some(scopes.known(&asked)).filter(|known| !known.is_empty()))
    }

    fn web_page(&self, member: &'static str) -> Result<Option<String>, RegistrationError> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(text)),
            _ => Err(wrong(member, "not an http(s) URL")),
        }
    }

    pub(super) fn text(&self, member: &'static str) -> Result<Option<String>, RegistrationError> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= LONGEST_TEXT => {
                Ok(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            Some(Value::String(_)) => {
                Err(wrong(member, format!("longer than {LONGEST_TEXT} characters")))
            }
            Some(_) => Err(wrong(member, "not a string")),
        }
    }

    fn texts(&self, member: &'static str) -> Result<Option<Vec<String>>, RegistrationError> {
        let not_texts = || wrong(member, "not an array of strings");
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(not_texts))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(not_texts()),
        }
    }
}

fn wrong(member: &'static str, reason: impl Into<String>) -> RegistrationError {
    RegistrationError::Metadata { member, reason: reason.into() }
}
