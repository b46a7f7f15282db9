//! Reads a caller's particulars where the policy of their provider says they stand.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::access_token::{VerifyError, verified_email};
use super::client::ClientId;
use super::issuer::Issuer;
use super::provider_account::{ProviderIdentity, ProviderSubject};
use super::provider_policy::{ClaimSources, MachineMark, RequiredClaim};
use super::scope::{Scope, ScopeSet};

/// The claims of a token, as they came.
pub type Claims = Map<String, Value>;

impl ClaimSources {
    /// The `sub`, or what names the person at this provider.
    ///
    /// # Errors
    /// [`VerifyError::BadClaim`] when a part is missing, or names nobody.
    pub fn subject_of(&self, claims: &Claims) -> Result<ProviderSubject, VerifyError> {
        let mut parts = Vec::new();
        for source in &self.subject {
            let part = found(claims, source).and_then(Value::as_str).filter(|it| !it.is_empty());
            parts.push(part.ok_or_else(|| bad(source))?);
        }
        ProviderSubject::parse(&parts.join(":")).map_err(|_| bad(&self.subject.join(" and ")))
    }

    /// The client that holds the token.
    #[must_use]
    pub fn client_of(&self, claims: &Claims) -> Option<ClientId> {
        first_text(&self.client, claims).map(ClientId::new)
    }

    /// What the token allows; nothing when it says nothing.
    ///
    /// # Errors
    /// [`VerifyError::BadClaim`] when it is neither a text nor a list of scopes.
    pub fn scopes_of(&self, claims: &Claims) -> Result<ScopeSet, VerifyError> {
        let source = self.scopes.iter().find(|source| found(claims, source).is_some());
        let Some(source) = source else { return Ok(ScopeSet::default()) };
        let tokens: Vec<&str> = match found(claims, source) {
            Some(Value::String(text)) => text.split(' ').filter(|it| !it.is_empty()).collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => return Err(bad(source)),
        };
        let prefix = self.scope_prefix.as_deref().unwrap_or_default();
        let scope = |token: &str| Scope::parse(token.strip_prefix(prefix).unwrap_or(token));
        tokens.into_iter().map(scope).collect::<Result<_, _>>().map_err(|_| bad(source))
    }

    /// The groups the person is in.
    #[must_use]
    pub fn groups_of(&self, claims: &Claims) -> BTreeSet<String> {
        every_text(&self.groups, claims)
    }

    /// What is permitted beside scopes.
    #[must_use]
    pub fn permissions_of(&self, claims: &Claims) -> BTreeSet<String> {
        every_text(&self.permissions, claims)
    }

    /// The tenant.
    #[must_use]
    pub fn tenant_of(&self, claims: &Claims) -> Option<String> {
        first_text(&self.tenant, claims).map(str::to_owned)
    }

    /// The organisation.
    #[must_use]
    pub fn organization_of(&self, claims: &Claims) -> Option<String> {
        first_text(&self.organization, claims).map(str::to_owned)
    }

    /// Who the claims of a validated ID token name.
    ///
    /// # Errors
    /// [`VerifyError::BadClaim`] when they name nobody.
    pub fn identity_of(
        &self,
        issuer: Issuer,
        claims: Claims,
    ) -> Result<ProviderIdentity, VerifyError> {
        let text =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(ProviderIdentity {
            issuer,
            subject: self.subject_of(&claims)?,
            name: text("name").or_else(|| text("preferred_username")).map(str::to_owned),
            verified_email: verified_email(&claims),
            groups: self.groups_of(&claims),
            tenant: self.tenant_of(&claims),
            organization: self.organization_of(&claims),
            claims,
        })
    }
}

impl RequiredClaim {
    /// # Errors
    /// [`VerifyError::WrongClaim`].
    pub(super) fn check(&self, claims: &Claims) -> Result<(), VerifyError> {
        let received = found(claims, &self.name).and_then(Value::as_str);
        if received == Some(self.value.as_str()) {
            return Ok(());
        }
        Err(VerifyError::WrongClaim {
            name: self.name.clone(),
            received: received.map(super::error_text::shortened),
            expected: self.value.clone(),
        })
    }
}

impl MachineMark {
    /// Whether the claims bear it.
    #[must_use]
    pub fn is_on(&self, claims: &Claims) -> bool {
        let text = |name: &str| found(claims, name).and_then(Value::as_str);
        match self {
            Self::Says(claim) => text(&claim.name) == Some(claim.value.as_str()),
            Self::BeginsWith(claim) => {
                text(&claim.name).is_some_and(|text| text.starts_with(&claim.value))
            }
            Self::Lacks(name) => found(claims, name).is_none(),
        }
    }
}

/// The claim of that name, or at the end of that way (RFC 6901).
pub(super) fn found<'a>(claims: &'a Claims, source: &str) -> Option<&'a Value> {
    let Some(way) = source.strip_prefix('/') else { return claims.get(source) };
    let (first, rest) = match way.find('/') {
        Some(end) => way.split_at(end),
        None => (way, ""),
    };
    claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
}

fn first_text<'a>(sources: &[String], claims: &'a Claims) -> Option<&'a str> {
    let text = |source: &String| found(claims, source).and_then(Value::as_str);
    sources.iter().filter_map(text).find(|text| !text.is_empty())
}

fn every_text(sources: &[String], claims: &Claims) -> BTreeSet<String> {
    let texts = |value: &Value| match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    sources.iter().filter_map(|source| found(claims, source)).flat_map(texts).collect()
}

fn bad(source: &str) -> VerifyError {
    VerifyError::BadClaim(source.to_owned().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn sources(change: impl FnOnce(&mut ClaimSources)) -> ClaimSources {
        let mut sources = ClaimSources::standard();
        change(&mut sources);
        sources
    }

    #[test]
    fn scopes_are_a_text_or_a_list_and_lose_their_prefix() {
        let sources = sources(|it| {
            it.scopes = vec!["scp".into(), "scope".into()];
            it.scope_prefix = Some("api://x/".into());
        });
        for value in [
            json!({ "scp": "api://x/read write", "scope": "other" }),
            json!({ "scp": ["api://x/read", "write"] }),
            json!({ "scope": "read  write" }),
        ] {
            let scopes = sources.scopes_of(&claims(value)).unwrap();
            assert_eq!(scopes, ScopeSet::parse("read write").unwrap());
        }
        assert!(sources.scopes_of(&claims(json!({ "scp": 7 }))).is_err());
        assert!(sources.scopes_of(&claims(json!({ "scp": "a\"b" }))).is_err());
        assert!(sources.scopes_of(&Claims::new()).unwrap().is_empty());
    }

    #[test]
    fn groups_of_every_source_are_joined_also_those_within_a_claim() {
        let sources = sources(|it| it.groups = vec!["groups".into(), "/realm_access/roles".into()]);
        let claims = claims(
            json!({ "groups": ["a"], "realm_access": { "roles": ["b", 7] }, "roles": ["c"] }),
        );
        assert_eq!(sources.groups_of(&claims), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn jv_19_every_part_of_a_subject_has_to_be_there() {
        let sources = sources(|it| it.subject = vec!["tid".into(), "oid".into()]);
        let subject = sources.subject_of(&claims(json!({ "tid": "t", "oid": "o" }))).unwrap();
        assert_eq!(subject.as_str(), "t:o");
        for lacking in
            [json!({ "oid": "o" }), json!({ "tid": "t" }), json!({ "tid": "t", "oid": "" })]
        {
            assert!(sources.subject_of(&claims(lacking)).is_err());
        }
    }

    #[test]
    fn up_09_an_address_counts_only_if_the_provider_verified_it() {
        let email = |verified: Value| {
            let claims =
                claims(json!({ "sub": "u", "email": "a@b.example", "email_verified": verified }));
            let issuer = Issuer::new("https://id.example");
            ClaimSources::standard().identity_of(issuer, claims).unwrap().verified_email
        };
        assert_eq!(email(json!(true)).as_deref(), Some("a@b.example"));
        for unverified in [json!(false), json!("true"), json!(null), json!(1)] {
            assert_eq!(email(unverified), None);
        }
    }
}
