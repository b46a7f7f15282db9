//! The one table of refusals: which status, which OAuth code and which audit code each error has.

use std::fmt;
use std::time::Duration;

use super::access::AccessError;
use super::authorize::{AuthorizationError, RefusedRequest, UntrustedRequest};
use super::client_authentication::ClientAuthenticationError;
use super::client_credentials::ClientCredentialsError;
use super::client_directory::RefusedDocument;
use super::consent::ConsentError;
use super::dev_token::DevTokenError;
use super::exchange_code::ExchangeError;
use super::introspect::IntrospectionError;
use super::log_out::LogOutError;
use super::login::LoginError;
use super::manage_registration::ManagementError;
use super::provider_login::{LoginFailure, ProviderLoginError};
use super::refresh::RefreshError;
use super::register::RegistrationError;
use super::revoke::RevocationError;
use super::token::TokenError;
use super::transport_error::TransportError;
use crate::domain::audit::{Decision, NO_CREDENTIALS};
use crate::domain::error_text::error_text;
use crate::domain::limit::{LimitedAction, TooMany};
use crate::port::{DocumentError, ProviderUnavailable, SigningUnavailable};

/// When to try again after a store or a key was out of reach.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// When to try again after no more clients could be registered: unused ones expire.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Said of whatever broke inside.
const CAN_NOT_ANSWER: &str = "the server can't answer at the moment, try again later";

/// Said of whatever a provider answers that belongs to no login.
const NO_SUCH_LOGIN: &str = "this login was finished before, took longer than ten minutes, or \
                             began in another browser";

/// Said of a provider's word that does not count.
const NOT_CONFIRMED: &str = "the provider you were sent to did not confirm who you are";

/// An error of any use case.
#[derive(Debug, Clone, Copy)]
pub enum Refusal<'a> {
    /// Of a request to the protected resource.
    Access(&'a AccessError),
    /// Of a client's registration.
    Registration(&'a RegistrationError),
    /// Of a request to see, change or end a registration.
    Management(&'a ManagementError),
    /// Of an authorization request.
    Authorization(&'a AuthorizationError),
    /// Of a login.
    Login(&'a LoginError),
    /// Of a login at a provider.
    ProviderLogin(&'a ProviderLoginError),
    /// Of an answer to a consent page.
    Consent(&'a ConsentError),
    /// Of an attempt to log out.
    LogOut(&'a LogOutError),
    /// Of a token request.
    Token(&'a TokenError),
    /// Of a request to revoke a token.
    Revocation(&'a RevocationError),
    /// Of a question about a token.
    Introspection(&'a IntrospectionError),
    /// Of a test token.
    DevToken(&'a DevTokenError),
    /// Of the signing keys.
    Keys(&'a SigningUnavailable),
    /// Of what a provider says of itself.
    Provider(&'a ProviderUnavailable),
    /// Of whatever got to no use case.
    Transport(&'a TransportError),
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
    /// Present with 429 and 503.
    pub retry_after: Option<Duration>,
    /// The `WWW-Authenticate` to answer with, where it is always the same.
    pub challenge: Option<&'static str>,
    /// Said in place of the error, which tells of our inside or of what can be reached from here.
    pub public_text: Option<&'static str>,
}

const fn row(status: u16, code: &'static str, audit: &'static str) -> Row {
    Row { status, code, audit, retry_after: None, challenge: None, public_text: None }
}

/// RFC 6749 §5.2: as the client tried to authenticate.
const BASIC: &str = "Basic realm=\"token endpoint\"";

/// RFC 6750 §3: where a token of another kind than an access token is needed.
const BEARER: &str = "Bearer realm=\"registration\"";
const BEARER_INVALID: &str = "Bearer realm=\"registration\", error=\"invalid_token\"";

const fn unavailable(audit: &'static str, retry_after: Duration) -> Row {
    Row {
        retry_after: Some(retry_after),
        public_text: Some(CAN_NOT_ANSWER),
        ..row(503, "temporarily_unavailable", audit)
    }
}

/// 429 has no code of its own in OAuth; `too_many_requests` is the one that the official MCP SDKs
/// know.
fn too_many(error: &TooMany) -> Row {
    let audit = match error.action {
        LimitedAction::Registration => "limit_registration",
        LimitedAction::AllRegistrations => "limit_all_registrations",
        LimitedAction::Authorization => "limit_authorization",
        LimitedAction::Login => "limit_login",
        LimitedAction::Token => "limit_token",
        LimitedAction::TokenOfClient => "limit_token_of_client",
        LimitedAction::WrongSecret => "limit_wrong_secret",
        LimitedAction::WrongPassword => "limit_wrong_password",
        LimitedAction::WrongPasswordOfUser => "limit_wrong_password_of_user",
        LimitedAction::WrongPasswordOfNetwork => "limit_wrong_password_of_network",
        LimitedAction::WrongGrant => "limit_wrong_grant",
    };
    Row { retry_after: Some(error.retry_after), ..row(429, "too_many_requests", audit) }
}

impl Refusal<'_> {
    /// The row of this refusal.
    #[must_use]
    pub fn row(&self) -> Row {
        match self {
            Self::Access(error) => access(error),
            Self::Registration(error) => registration(error),
            Self::Management(error) => management(error),
            Self::Authorization(error) => authorization(error),
            Self::Login(error) => login(error),
            Self::ProviderLogin(error) => provider_login(error),
            Self::Consent(error) => consent(error),
            Self::LogOut(error) => log_out(error),
            Self::Token(error) => token(error),
            Self::Revocation(error) => revocation(error),
            Self::Introspection(error) => introspection(error),
            Self::DevToken(error) => dev_token(error),
            Self::Keys(_) => unavailable("keys_unavailable", RETRY_AFTER),
            Self::Provider(error) => unavailable("provider_unavailable", error.retry_after),
            Self::Transport(error) => transport(error),
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

    pub(super) fn login_failure_code(error: &LoginFailure) -> &'static str {
        login_failure(error).code
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(error) => error.fmt(f),
            Self::Registration(error) => error.fmt(f),
            Self::Management(error) => error.fmt(f),
            Self::Authorization(error) => error.fmt(f),
            Self::Login(error) => error.fmt(f),
            Self::ProviderLogin(error) => error.fmt(f),
            Self::Consent(error) => error.fmt(f),
            Self::LogOut(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::Revocation(error) => error.fmt(f),
            Self::Introspection(error) => error.fmt(f),
            Self::DevToken(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Provider(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

fn access(error: &AccessError) -> Row {
    match error {
        AccessError::NoCredentials => row(401, "", NO_CREDENTIALS),
        AccessError::Malformed(_) => row(400, "invalid_request", "malformed_credentials"),
        AccessError::InvalidToken(_) => row(401, "invalid_token", "invalid_token"),
        AccessError::InsufficientScope { .. } => {
            row(403, "insufficient_scope", "insufficient_scope")
        }
        // No error of RFC 6750 §3.1: `insufficient_scope` would send the client to get a new token,
        // in vain and again and again.
        AccessError::NotPermitted { .. } => row(403, "access_denied", "not_permitted"),
        AccessError::Unavailable { retry_after, .. } => {
            unavailable("verifier_unavailable", *retry_after)
        }
        AccessError::StoreUnavailable { .. } => unavailable("store_unavailable", RETRY_AFTER),
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
        RegistrationError::Off => row(403, "access_denied", "registration_off"),
        RegistrationError::TokenMissing => no_registration_token(),
        RegistrationError::MalformedToken(_) => {
            row(400, "invalid_request", "registration_malformed_token")
        }
        RegistrationError::WrongToken => wrong_registration_token("registration_wrong_token"),
        RegistrationError::InvalidSoftwareStatement => {
            row(400, "invalid_software_statement", "registration_invalid_software_statement")
        }
        RegistrationError::UnapprovedSoftwareStatement => {
            row(400, "unapproved_software_statement", "registration_software_statement")
        }
        RegistrationError::Full => unavailable("registration_full", FULL_RETRY_AFTER),
        RegistrationError::TooMany(error) => too_many(error),
        RegistrationError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn no_registration_token() -> Row {
    Row { challenge: Some(BEARER), ..row(401, "", "registration_token_missing") }
}

fn wrong_registration_token(audit: &'static str) -> Row {
    Row { challenge: Some(BEARER_INVALID), ..row(401, "invalid_token", audit) }
}

fn management(error: &ManagementError) -> Row {
    match error {
        ManagementError::TooMany(error) => too_many(error),
        ManagementError::TokenMissing => no_registration_token(),
        ManagementError::MalformedToken(_) => {
            row(400, "invalid_request", "management_malformed_token")
        }
        ManagementError::WrongToken => wrong_registration_token("management_wrong_token"),
        ManagementError::OtherClient => row(400, "invalid_request", "management_other_client"),
        ManagementError::OtherSecret => row(400, "invalid_request", "management_other_secret"),
        ManagementError::OurMember(_) => row(400, "invalid_request", "management_our_member"),
        ManagementError::Metadata(error) => registration(error),
        ManagementError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn authorization(error: &AuthorizationError) -> Row {
    match error {
        AuthorizationError::Page(error) => untrusted_request(error),
        AuthorizationError::Redirect { reason, .. } => refused_request(reason),
        AuthorizationError::Interrupted { reason, .. } => {
            Row { status: 400, ..refused_request(reason) }
        }
        AuthorizationError::TooMany(error) => too_many(error),
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
        RefusedRequest::GrantType => row(303, "unauthorized_client", "authorization_grant_type"),
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
        LoginError::ReservedSubject(_) => row(403, "access_denied", "login_reserved_subject"),
        LoginError::WrongCredentials(_) => row(403, "access_denied", "login_wrong_credentials"),
        LoginError::ProviderUnavailable { retry_after, .. } => {
            unavailable("provider_unavailable", *retry_after)
        }
        LoginError::TooMany(error) => too_many(error),
        LoginError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn provider_login(error: &ProviderLoginError) -> Row {
    match error {
        ProviderLoginError::ForeignForm => row(403, "access_denied", "provider_login_foreign_form"),
        ProviderLoginError::UnknownProvider(_) => {
            row(400, "invalid_request", "provider_login_unknown_provider")
        }
        ProviderLoginError::Parameters(_) | ProviderLoginError::TooLong(_) => {
            row(400, "invalid_request", "provider_login_parameters")
        }
        ProviderLoginError::NoSuchLogin(_) => Row {
            public_text: Some(NO_SUCH_LOGIN),
            ..row(403, "access_denied", "provider_login_unknown")
        },
        ProviderLoginError::ClientChanged(_) => {
            row(403, "access_denied", "provider_login_client_changed")
        }
        ProviderLoginError::Authorization(error) => authorization(error),
        ProviderLoginError::TooMany(error) => too_many(error),
        ProviderLoginError::Redirect(failed) | ProviderLoginError::Interrupted(failed) => {
            login_failure(&failed.reason)
        }
        ProviderLoginError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn login_failure(error: &LoginFailure) -> Row {
    match error {
        LoginFailure::Declined { .. } => Row {
            public_text: Some("nobody logged in at the provider"),
            ..row(303, "access_denied", "provider_login_declined")
        },
        LoginFailure::Failed { .. } => Row {
            public_text: Some(NOT_CONFIRMED),
            ..row(303, "server_error", "provider_login_failed")
        },
        LoginFailure::NotConfirmed { .. } => Row {
            public_text: Some(NOT_CONFIRMED),
            ..row(403, "server_error", "provider_login_not_confirmed")
        },
        LoginFailure::ProviderUnavailable { retry_after, .. } => Row {
            public_text: Some("the provider can't be asked at the moment, try again later"),
            ..unavailable("provider_unavailable", *retry_after)
        },
        LoginFailure::OtherIssuer { .. } => Row {
            public_text: Some("accounts like the one you logged in with may not use this server"),
            ..row(403, "access_denied", "provider_login_other_issuer")
        },
        LoginFailure::NotAdmitted(_) => row(403, "access_denied", "provider_login_not_admitted"),
    }
}

fn consent(error: &ConsentError) -> Row {
    match error {
        ConsentError::ForeignForm => row(403, "access_denied", "consent_foreign_form"),
        ConsentError::Authorization(error) => authorization(error),
        ConsentError::TooMany(error) => too_many(error),
        ConsentError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn log_out(error: &LogOutError) -> Row {
    match error {
        LogOutError::ForeignForm => row(403, "access_denied", "log_out_foreign_form"),
        LogOutError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
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
        TokenError::ClientCredentials(error) => client_credentials(error),
        TokenError::TooMany(error) => too_many(error),
        TokenError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn client_authentication(error: &ClientAuthenticationError) -> Row {
    let invalid_client = |audit, by_basic: bool| Row {
        challenge: by_basic.then_some(BASIC),
        ..row(401, "invalid_client", audit)
    };
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
        ClientAuthenticationError::TooMany(error) => too_many(error),
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
        RefreshError::PersonGone => row(400, "invalid_grant", "refresh_person_gone"),
        RefreshError::ProviderUnavailable { retry_after, .. } => {
            unavailable("provider_unavailable", *retry_after)
        }
        RefreshError::WrongResource => row(400, "invalid_target", "refresh_wrong_resource"),
        RefreshError::WrongScope => row(400, "invalid_scope", "refresh_wrong_scope"),
        RefreshError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
        RefreshError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}

fn client_credentials(error: &ClientCredentialsError) -> Row {
    match error {
        ClientCredentialsError::PublicClient => {
            row(400, "unauthorized_client", "client_credentials_public")
        }
        ClientCredentialsError::WrongScope => {
            row(400, "invalid_scope", "client_credentials_wrong_scope")
        }
        ClientCredentialsError::WrongResource => {
            row(400, "invalid_target", "client_credentials_wrong_resource")
        }
        ClientCredentialsError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}

fn revocation(error: &RevocationError) -> Row {
    match error {
        RevocationError::Parameters(_) => row(400, "invalid_request", "revocation_parameters"),
        RevocationError::Client(error) => client_authentication(error),
        RevocationError::OtherClient => row(400, "invalid_grant", "revocation_other_client"),
        RevocationError::WithoutGrant => {
            row(400, "unsupported_token_type", "revocation_without_grant")
        }
        RevocationError::VerifierUnavailable { retry_after, .. } => {
            unavailable("verifier_unavailable", *retry_after)
        }
        RevocationError::TooMany(error) => too_many(error),
        RevocationError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn introspection(error: &IntrospectionError) -> Row {
    match error {
        IntrospectionError::Parameters(_) => {
            row(400, "invalid_request", "introspection_parameters")
        }
        IntrospectionError::Client(error) => client_authentication(error),
        IntrospectionError::Anonymous => {
            let row = row(401, "invalid_client", "introspection_anonymous");
            Row { challenge: Some(BASIC), ..row }
        }
        IntrospectionError::PublicClient => {
            row(401, "invalid_client", "introspection_public_client")
        }
        IntrospectionError::VerifierUnavailable { retry_after, .. } => {
            unavailable("verifier_unavailable", *retry_after)
        }
        IntrospectionError::TooMany(error) => too_many(error),
        IntrospectionError::Unavailable(_) => unavailable("store_unavailable", RETRY_AFTER),
    }
}

fn dev_token(error: &DevTokenError) -> Row {
    match error {
        DevTokenError::Parameters(_) => row(400, "invalid_request", "dev_token_parameters"),
        DevTokenError::Scope(_) => row(400, "invalid_scope", "dev_token_scope"),
        DevTokenError::Lifetime(_) => row(400, "invalid_request", "dev_token_lifetime"),
        DevTokenError::TooMany(error) => too_many(error),
        DevTokenError::NoKey(_) => unavailable("keys_unavailable", RETRY_AFTER),
    }
}

fn transport(error: &TransportError) -> Row {
    let invalid = |status, audit| row(status, "invalid_request", audit);
    match error {
        TransportError::NotFound => row(404, "not_found", "not_found"),
        TransportError::MethodNotAllowed => invalid(405, "method_not_allowed"),
        TransportError::ContentType { .. } => invalid(415, "content_type"),
        TransportError::BodyTooLarge { .. } => invalid(413, "body_too_large"),
        TransportError::BodyTooSlow => invalid(408, "body_too_slow"),
        TransportError::BodyUnreadable => invalid(400, "body_unreadable"),
        TransportError::UriTooLong { .. } => invalid(414, "uri_too_long"),
        TransportError::HeadersTooLarge { .. } => invalid(431, "headers_too_large"),
        TransportError::NotOneHost => invalid(400, "not_one_host"),
        TransportError::ForeignHost => invalid(403, "foreign_host"),
        TransportError::ForeignOrigin => invalid(403, "foreign_origin"),
        TransportError::Parameters(_) => invalid(400, "parameters"),
        TransportError::Malformed(_) => invalid(400, "malformed"),
        TransportError::Failed(_) => {
            Row { public_text: Some(CAN_NOT_ANSWER), ..row(500, "server_error", "failed") }
        }
    }
}
