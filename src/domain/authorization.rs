//! An authorization request on its way from the client's redirect to a code (RFC 6749 §4.1).
//!
//! `AuthorizationRequest` → `AwaitingConsent` → `Approved` or a denial: each step consumes the one
//! before, so a code can't be issued for a request nobody consented to.

use std::time::Duration;

use super::client::{Client, ClientId};
use super::grant::{CodeRecord, Grant, GrantId};
use super::issuer::Issuer;
use super::login::LoginSession;
use super::person::Person;
use super::pkce::S256Challenge;
use super::redirect_uri::RedirectUri;
use super::resource::ResourceUri;
use super::scope::ScopeSet;
use super::secret::AuthorizationCode;
use super::timestamp::Timestamp;

/// The query string of an authorization request, as it came; forms carry it along and every step
/// validates it anew, so nothing is stored before somebody consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationQuery(String);

impl AuthorizationQuery {
    /// Takes the raw query string.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self(query.into())
    }

    /// The raw query string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the client wants of the login (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Show no page at all.
    pub none: bool,
    /// Log in again even if somebody is.
    pub login: bool,
    /// Ask even what was consented to before.
    pub consent: bool,
}

/// Where an answer to an authorization request goes, and what it echoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    redirect_uri: RedirectUri,
    state: Option<String>,
    issuer: Issuer,
}

impl ReturnAddress {
    /// An address that the client registered.
    #[must_use]
    pub fn new(redirect_uri: RedirectUri, state: Option<String>, issuer: Issuer) -> Self {
        Self { redirect_uri, state, issuer }
    }

    /// The redirect address the client named.
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The address with an answer: `state` exactly as it came (RFC 6749 §4.1.2) and `iss`
    /// (RFC 9207 §2), each once.
    #[must_use]
    pub fn answer(&self, parameters: &[(&str, &str)]) -> String {
        let mut all = parameters.to_vec();
        if let Some(state) = &self.state {
            all.push(("state", state));
        }
        all.push(("iss", self.issuer.as_str()));
        self.redirect_uri.with_parameters(&all)
    }
}

/// A request that was validated in full and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub return_address: ReturnAddress,
    /// What a code must be redeemed with.
    pub challenge: S256Challenge,
    /// What the token will be for.
    pub resource: ResourceUri,
    /// What is asked for; never empty.
    pub scope: ScopeSet,
    /// What the client wants of the login.
    pub prompt: Prompt,
}

impl AuthorizationRequest {
    /// The person is known: ask them.
    #[must_use]
    pub fn logged_in(self, session: LoginSession) -> AwaitingConsent {
        AwaitingConsent { request: self, session }
    }

    /// Somebody said no: where to send the browser (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn deny(self) -> String {
        self.return_address
            .answer(&[("error", "access_denied"), ("error_description", "the request was denied")])
    }
}

/// A request whose person is logged in and has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitingConsent {
    request: AuthorizationRequest,
    session: LoginSession,
}

/// What an approval needs from outside.
pub struct Approval {
    /// A fresh id.
    pub grant: GrantId,
    /// A fresh code.
    pub code: AuthorizationCode,
    /// How long the code lives.
    pub code_lifetime: Duration,
    /// Now.
    pub now: Timestamp,
}

/// What to store and where to send the browser once a person has approved.
pub struct Approved {
    /// What the person granted.
    pub grant: Grant,
    /// The code's stored form.
    pub code: CodeRecord,
    /// The client's redirect address with `code`, `state` and `iss`.
    pub redirect_to: String,
}

impl AwaitingConsent {
    /// What is asked for.
    #[must_use]
    pub fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Who is asked.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.session.person
    }

    /// The session in which they are asked.
    #[must_use]
    pub fn session(&self) -> &LoginSession {
        &self.session
    }

    /// The person said yes.
    #[must_use]
    pub fn approve(self, approval: Approval) -> Approved {
        let Approval { grant, code, code_lifetime, now } = approval;
        let redirect_to = self.request.return_address.answer(&[("code", code.expose())]);
        Approved {
            code: CodeRecord {
                hash: code.hash(),
                grant: grant.clone(),
                redirect_uri: self.request.return_address.redirect_uri,
                challenge: self.request.challenge,
                issued_at: now,
                expires_at: now.after(code_lifetime),
                redeemed_at: None,
            },
            grant: Grant {
                id: grant,
                client: self.request.client.id,
                person: self.session.person,
                resource: self.request.resource,
                scope: self.request.scope,
                granted_at: now,
                revoked_at: None,
            },
            redirect_to,
        }
    }

    /// The client asking, for the record of a denial.
    #[must_use]
    pub fn client(&self) -> &ClientId {
        &self.request.client.id
    }

    /// The person said no: where to send the browser.
    #[must_use]
    pub fn deny(self) -> String {
        self.request.deny()
    }
}
