//! The one table of refusals: which status, which OAuth code and which audit code each error has.

use std::fmt;
use std::time::Duration;

use super::access::AccessError;
use super::authorize::{AuthorizationError, RefusedRequest, UntrustedRequest};
use super::client_authentication::ClientAuthenticationError;
use super::client_directory::RefusedDocument;
use super::consent::ConsentError;
use super::dev_token::DevTokenError;
use super::exchange_code::ExchangeError;
use super::login::LoginError;
use super::refresh::RefreshError;
use super::register::RegistrationError;
use super::token::TokenError;
use crate::domain::audit::Decision;
use crate::domain::error_text::error_text;
use crate::port::{DocumentError, SigningUnavailable};

/// When to try again after a store or a key was out of reach.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// An error of any use case.
#[derive(Debug, Clone, Copy)]
pub enum Refusal<'a> {
    /// Of a request to the protected resource.
    Access(&'a AccessError),
    /// Of a client's registration.
    Registration(&'a RegistrationError),
    /// Of an authorization request.
    Authorization(&'a AuthorizationError),
    /// Of a login.
    Login(&'a LoginError),
    /// Of an answer to a consent page.
    Consent(&'a ConsentError),
    /// Of a token request.
    Token(&'a TokenError),
    /// Of a test token.
    DevToken(&'a DevTokenError),
    /// Of the signing keys.
    Keys(&'a SigningUnavailable),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status.
    pub status: u16,
    /// The `error` of the answer; empty where the specification wants none.
    pub code: &'static str,
    /// The stable name in the audit log and in metrics.
    pub audit: &'static str,
    /// Present with 503.
    pub retry_after: Option<Duration>,
    /// Answer with `WWW-Authenticate: Basic` (RFC 6749 §5.2).
    pub basic_challenge: bool,
    /// Said in place of the error, which tells of our inside or of what can be reached from here.
    pub public_text: Option<&'static str>,
}

const fn row(status: u16, code: &'static str, audit: &'static str) -> Row {
    Row { status, code, audit, retry_after: None, basic_challenge: false, public_text: None }
}

const fn unavailable(audit: &'static str, retry_after: Duration) -> Row {
    Row {
        retry_after: Some(retry_after),
        public_text: Some("the server can't answer at the moment, try again later"),
        ..row(503, "temporarily_unavailable", audit)
    }
}

impl Refusal<'_> {
    /// The row of this refusal.
    #[must_use]
    pub fn row(&self) -> Row {
        match self {
            Self::Access(error) => access(error),
            Self::Registration(error) => registration(error),
            Self::Authorization(error) => authorization(error),
            Self::Login(error) => login(error),
            Self::Consent(error) => consent(error),
            Self::Token(error) => token(error),
            Self::DevToken(error) => dev_token(error),
            Self::Keys(_) => unavailable("keys_unavailable", RETRY_AFTER),
        }
    }

    /// What to tell the one who was refused: what went wrong, nothing about our inside.
    #[must_use]
    pub fn public_text(&self) -> String {
        let text = self.row().public_text.map(str::to_owned);
        text.unwrap_or_else(|| error_text(&self.to_string()))
    }

    /// The decision to record.
    #[must_use]
    pub fn decision(&self) -> Decision {
        Decision::Refused { code: self.row().audit, reason: self.to_string() }
    }

    pub(super) fn authorization_code(error: &RefusedRequest) -> &'static str {
        refused_request(error).code
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(error) => error.fmt(f),
            Self::Registration(error) => error.fmt(f),
            Self::Authorization(error) => error.fmt(f),
            Self::Login(error) => error.fmt(f),
            Self::Consent(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::DevToken(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
        }
    }
}

fn access(error: &AccessError) -> Row {
    match error {
        AccessError::NoCredentials => row(401, "", "no_credentials"),
        AccessError::Malformed(_) => row(400, "invalid_request", "malformed_credentials"),
        AccessError::InvalidToken(_) => row(401, "invalid_token", "invalid_token"),
        AccessError::InsufficientScope { .. } => {
            row(403, "insufficient_scope", "insufficient_scope")
        }
        AccessError::Unavailable { retry_after, .. } => {
            unavailable("verifier_unavailable", *retry_after)
        }
    }
}

fn registration(error: &RegistrationError) -> Row {
    match error {
        RegistrationError::NotAnObject(_) => {
            row(400, "invalid_client_metadata", "registration_malformed")
        }
        RegistrationError::RedirectUri(_) => {
            row(400, "invalid_redirect_uri", "registration_redirect_uri")
        }
        RegistrationError::Metadata { .. } => {
            row(400, "invalid_client_metadata", "registration_metadata")
        }
        RegistrationError::SoftwareStatement => {
            row(400, "unapproved_software_statement", "registration_software_statement")
        }
        RegistrationError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn authorization(error: &AuthorizationError) -> Row {
    match error {
        AuthorizationError::Page(error) => untrusted_request(error),
        AuthorizationError::Redirect { reason, .. } => refused_request(reason),
        AuthorizationError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn untrusted_request(error: &UntrustedRequest) -> Row {
    match error {
        UntrustedRequest::Parameters(_) => row(400, "invalid_request", "authorization_parameters"),
        UntrustedRequest::UnknownClient(_) => {
            row(400, "invalid_client", "authorization_unknown_client")
        }
        UntrustedRequest::Document(refused) => refused_document(400, refused),
        UntrustedRequest::InvalidRedirectUri(_)
        | UntrustedRequest::UnregisteredRedirectUri(_)
        | UntrustedRequest::AmbiguousRedirectUri => {
            row(400, "invalid_request", "authorization_redirect_uri")
        }
    }
}

fn refused_document(status: u16, refused: &RefusedDocument) -> Row {
    match refused {
        RefusedDocument::Address(_) => row(status, "invalid_client", "client_document_address"),
        RefusedDocument::NotPermitted { .. } => {
            row(status, "invalid_client", "client_document_not_permitted")
        }
        RefusedDocument::Unusable(DocumentError::Busy { .. }) => {
            unavailable("client_documents_busy", RETRY_AFTER)
        }
        RefusedDocument::Unusable(
            DocumentError::Forbidden { .. }
            | DocumentError::Unreachable { .. }
            | DocumentError::Invalid { .. },
        ) => Row {
            public_text: Some("what the client publishes of itself can't be used here"),
            ..row(status, "invalid_client", "client_document_unusable")
        },
    }
}

fn refused_request(error: &RefusedRequest) -> Row {
    match error {
        RefusedRequest::Invalid(_) => row(303, "invalid_request", "authorization_invalid"),
        RefusedRequest::ResponseType => {
            row(303, "unsupported_response_type", "authorization_response_type")
        }
        RefusedRequest::Scope => row(303, "invalid_scope", "authorization_scope"),
        RefusedRequest::Resource(_) => row(303, "invalid_target", "authorization_resource"),
        RefusedRequest::LoginRequired => row(303, "login_required", "login_required"),
        RefusedRequest::ConsentRequired => row(303, "consent_required", "consent_required"),
    }
}

fn login(error: &LoginError) -> Row {
    match error {
        LoginError::ForeignForm => row(403, "access_denied", "login_foreign_form"),
        LoginError::Authorization(error) => authorization(error),
        LoginError::WrongCredentials(_) => row(403, "access_denied", "login_wrong_credentials"),
        LoginError::ProviderUnavailable { retry_after, .. } => {
            unavailable("provider_unavailable", *retry_after)
        }
        LoginError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn consent(error: &ConsentError) -> Row {
    match error {
        ConsentError::ForeignForm => row(403, "access_denied", "consent_foreign_form"),
        ConsentError::Authorization(error) => authorization(error),
        ConsentError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn token(error: &TokenError) -> Row {
    match error {
        TokenError::Parameters(_) => row(400, "invalid_request", "token_parameters"),
        TokenError::InUri(_) => row(400, "invalid_request", "token_parameters_in_uri"),
        TokenError::Client(error) => client_authentication(error),
        TokenError::UnsupportedGrant(_) => {
            row(400, "unsupported_grant_type", "token_unsupported_grant")
        }
        TokenError::NotRegisteredFor(_) => {
            row(400, "unauthorized_client", "token_unauthorized_client")
        }
        TokenError::Code(error) => exchange(error),
        TokenError::Refresh(error) => refresh(error),
        TokenError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn client_authentication(error: &ClientAuthenticationError) -> Row {
    let invalid_client =
        |audit, basic_challenge| Row { basic_challenge, ..row(401, "invalid_client", audit) };
    match error {
        ClientAuthenticationError::Parameters(_) => row(400, "invalid_request", "token_parameters"),
        ClientAuthenticationError::SeveralMethods => {
            row(400, "invalid_request", "client_several_methods")
        }
        ClientAuthenticationError::MalformedBasic => invalid_client("client_malformed_basic", true),
        ClientAuthenticationError::Unknown { by_basic, .. } => {
            invalid_client("client_unknown", *by_basic)
        }
        ClientAuthenticationError::Document(refused) => refused_document(401, refused),
        ClientAuthenticationError::SecretMissing => invalid_client("client_secret_missing", false),
        ClientAuthenticationError::WrongSecret { by_basic } => {
            invalid_client("client_wrong_secret", *by_basic)
        }
        ClientAuthenticationError::AssertionMissing => {
            invalid_client("client_assertion_missing", false)
        }
        ClientAuthenticationError::AssertionUnexpected => {
            invalid_client("client_assertion_unexpected", false)
        }
        ClientAuthenticationError::AssertionType => invalid_client("client_assertion_type", false),
        ClientAuthenticationError::Assertion(_) => invalid_client("client_assertion", false),
        ClientAuthenticationError::WrongSignature => {
            invalid_client("client_assertion_signature", false)
        }
        ClientAuthenticationError::AssertionReplayed => {
            invalid_client("client_assertion_replayed", false)
        }
        ClientAuthenticationError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn exchange(error: &ExchangeError) -> Row {
    match error {
        ExchangeError::UnknownCode => row(400, "invalid_grant", "code_unknown"),
        ExchangeError::OtherClient => row(400, "invalid_grant", "code_other_client"),
        ExchangeError::Expired => row(400, "invalid_grant", "code_expired"),
        ExchangeError::WrongRedirectUri => row(400, "invalid_grant", "code_wrong_redirect_uri"),
        ExchangeError::WrongVerifier => row(400, "invalid_grant", "code_wrong_verifier"),
        ExchangeError::WrongResource => row(400, "invalid_target", "code_wrong_resource"),
        ExchangeError::Replayed => row(400, "invalid_grant", "code_replayed"),
        ExchangeError::Revoked => row(400, "invalid_grant", "code_revoked"),
        ExchangeError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
        ExchangeError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}

fn refresh(error: &RefreshError) -> Row {
    match error {
        RefreshError::UnknownToken => row(400, "invalid_grant", "refresh_unknown"),
        RefreshError::OtherClient => row(400, "invalid_grant", "refresh_other_client"),
        RefreshError::Expired => row(400, "invalid_grant", "refresh_expired"),
        RefreshError::Replayed => row(400, "invalid_grant", "refresh_replayed"),
        RefreshError::Revoked => row(400, "invalid_grant", "refresh_revoked"),
        RefreshError::WrongResource => row(400, "invalid_target", "refresh_wrong_resource"),
        RefreshError::WrongScope => row(400, "invalid_scope", "refresh_wrong_scope"),
        RefreshError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
        RefreshError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}

fn dev_token(error: &DevTokenError) -> Row {
    match error {
        DevTokenError::Parameters(_) => row(400, "invalid_request", "dev_token_parameters"),
        DevTokenError::Scope(_) => row(400, "invalid_scope", "dev_token_scope"),
        DevTokenError::Lifetime(_) => row(400, "invalid_request", "dev_token_lifetime"),
        DevTokenError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}
