//! The table of refusals, row by row: status, OAuth code and audit code of every error.

use std::collections::BTreeSet;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::admission::NotAdmitted;
use mcp_oauth_core::domain::authorization::{AuthorizationRequest, Prompt, ReturnAddress};
use mcp_oauth_core::domain::bearer::MalformedCredentials;
use mcp_oauth_core::domain::client::GrantType;
use mcp_oauth_core::domain::client_assertion::AssertionError;
use mcp_oauth_core::domain::client_document_url::InvalidDocumentUrl;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::limit::{LimitedAction, TooMany};
use mcp_oauth_core::domain::parameters::ParameterError;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::redirect_uri::InvalidRedirectUri;
use mcp_oauth_core::domain::requirement::Lack;
use mcp_oauth_core::port::DocumentError;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::authorize::{AuthorizationError, RefusedRequest, UntrustedRequest};
use mcp_oauth_core::service::consent::ConsentError;
use mcp_oauth_core::service::dev_token::DevTokenError;
use mcp_oauth_core::service::introspect::IntrospectionError;
use mcp_oauth_core::service::log_out::LogOutError;
use mcp_oauth_core::service::login::LoginError;
use mcp_oauth_core::service::manage_registration::ManagementError;
use mcp_oauth_core::service::provider_login::{
    FailedLogin, LoginFailure, NoSuchLogin, ProviderLoginError,
};
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::register::RegistrationError;
use mcp_oauth_core::service::revoke::RevocationError;
use mcp_oauth_core::service::token::TokenError;
use mcp_oauth_core::service::transport_error::TransportError;
use mcp_oauth_core::service::{
    ClientAuthenticationError, ClientCredentialsError, ExchangeError, RefreshError, RefusedDocument,
};

use crate::samples::{
    BASE, INSIDE, WAIT, client, code, grant, keys_unavailable, provider_unavailable, scope,
    store_unavailable,
};
use crate::world::row;

/// Status, OAuth code, audit code.
type Row = (u16, &'static str, &'static str);

/// An error, and the row it should have.
type Rows<E> = Vec<(E, Row)>;

const STORE: Row = (503, "temporarily_unavailable", "store_unavailable");
const KEYS: Row = (503, "temporarily_unavailable", "keys_unavailable");

/// There were too many, and the row to expect.
fn too_many(action: LimitedAction, audit: &'static str) -> (TooMany, Row) {
    (TooMany { action, retry_after: WAIT }, (429, "too_many_requests", audit))
}

/// The same as an error of a use case.
fn too_many_as<E: From<TooMany>>(action: LimitedAction, audit: &'static str) -> (E, Row) {
    let (error, row) = too_many(action, audit);
    (error.into(), row)
}

/// The refusals whose reasons lie with others, and are for the log only.
const ELSEWHERE: [&str; 5] = [
    "client_document_unusable",
    "provider_login_declined",
    "provider_login_failed",
    "provider_login_not_confirmed",
    "provider_login_other_issuer",
];

const PARAMETERS: ParameterError = ParameterError::Missing("code");

fn access() -> Rows<AccessError> {
    let not_permitted = AccessError::NotPermitted { lack: Lack::Group(["ops".to_owned()].into()) };
    let insufficient =
        AccessError::InsufficientScope { granted: String::new(), required: scope("mcp:tools") };
    let unavailable = AccessError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT };
    vec![
        (AccessError::NoCredentials, (401, "", "no_credentials")),
        (MalformedCredentials::Several.into(), (400, "invalid_request", "malformed_credentials")),
        (VerifyError::BadSignature.into(), (401, "invalid_token", "invalid_token")),
        (not_permitted, (403, "access_denied", "not_permitted")),
        (insufficient, (403, "insufficient_scope", "insufficient_scope")),
        (unavailable, (503, "temporarily_unavailable", "verifier_unavailable")),
        (AccessError::StoreUnavailable { reason: INSIDE.to_owned() }, STORE),
    ]
}

fn registration() -> Rows<RegistrationError> {
    use RegistrationError::{
        Full, InvalidSoftwareStatement, MalformedToken, Metadata, NotAnObject, Off, RedirectUri,
        TokenMissing, UnapprovedSoftwareStatement, Unavailable, WrongToken,
    };
    let metadata = Metadata { member: "scope", reason: "not a string".to_owned() };
    vec![
        (NotAnObject(String::new()), (400, "invalid_client_metadata", "registration_malformed")),
        (RedirectUri(String::new()), (400, "invalid_redirect_uri", "registration_redirect_uri")),
        (metadata, (400, "invalid_client_metadata", "registration_metadata")),
        (
            UnapprovedSoftwareStatement,
            (400, "unapproved_software_statement", "registration_software_statement"),
        ),
        (
            InvalidSoftwareStatement,
            (400, "invalid_software_statement", "registration_invalid_software_statement"),
        ),
        (Off, (403, "access_denied", "registration_off")),
        (TokenMissing, (401, "", "registration_token_missing")),
        (
            MalformedToken(MalformedCredentials::Several),
            (400, "invalid_request", "registration_malformed_token"),
        ),
        (WrongToken, (401, "invalid_token", "registration_wrong_token")),
        (Full, (503, "temporarily_unavailable", "registration_full")),
        (Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Registration, "limit_registration"),
        too_many_as(LimitedAction::AllRegistrations, "limit_all_registrations"),
    ]
}

fn management() -> Rows<ManagementError> {
    use ManagementError::{
        MalformedToken, Metadata, OtherClient, OtherSecret, OurMember, TokenMissing, Unavailable,
        WrongToken,
    };
    let metadata = Metadata(RegistrationError::RedirectUri(String::new()));
    vec![
        (TokenMissing, (401, "", "registration_token_missing")),
        (
            MalformedToken(MalformedCredentials::Several),
            (400, "invalid_request", "management_malformed_token"),
        ),
        (WrongToken, (401, "invalid_token", "management_wrong_token")),
        (OtherClient, (400, "invalid_request", "management_other_client")),
        (OtherSecret, (400, "invalid_request", "management_other_secret")),
        (OurMember("client_id_issued_at"), (400, "invalid_request", "management_our_member")),
        (metadata, (400, "invalid_redirect_uri", "registration_redirect_uri")),
        (Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Registration, "limit_registration"),
    ]
}

/// What a client publishes and why it is not used; the reasons of the last four are for the log only.
fn documents(status: u16) -> Rows<RefusedDocument> {
    let row = |audit| (status, "invalid_client", audit);
    let (address, reason) = (BASE.to_owned(), INSIDE.to_owned());
    let unusable = [
        DocumentError::Forbidden { address: address.clone(), reason: reason.clone() },
        DocumentError::Unreachable { address: address.clone(), reason: reason.clone() },
        DocumentError::Invalid { address: address.clone(), reason: reason.clone() },
    ];
    let busy = DocumentError::Busy { address, reason };
    let not_permitted = RefusedDocument::NotPermitted { host: "c.example".to_owned() };
    let mut rows = vec![
        (InvalidDocumentUrl::NoPath.into(), row("client_document_address")),
        (not_permitted, row("client_document_not_permitted")),
        (busy.into(), (503, "temporarily_unavailable", "client_documents_busy")),
    ];
    rows.extend(unusable.map(|error| (error.into(), row("client_document_unusable"))));
    rows
}

fn untrusted_requests() -> Rows<AuthorizationError> {
    use UntrustedRequest::{
        AmbiguousRedirectUri, InvalidRedirectUri as Invalid, Parameters, UnknownClient,
        UnregisteredRedirectUri,
    };
    let documents = documents(400).into_iter();
    let documents = documents.map(|(refused, row)| (UntrustedRequest::from(refused).into(), row));
    let redirect_uri = (400, "invalid_request", "authorization_redirect_uri");
    let rows = vec![
        (Parameters(PARAMETERS).into(), (400, "invalid_request", "authorization_parameters")),
        (
            UnknownClient(String::new()).into(),
            (400, "invalid_client", "authorization_unknown_client"),
        ),
        (Invalid(InvalidRedirectUri::Fragment).into(), redirect_uri),
        (UnregisteredRedirectUri(String::new()).into(), redirect_uri),
        (AmbiguousRedirectUri.into(), redirect_uri),
        (AuthorizationError::Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Authorization, "limit_authorization"),
    ];
    rows.into_iter().chain(documents).collect()
}

fn refused_requests() -> Rows<AuthorizationError> {
    let rows = [
        (RefusedRequest::Invalid(String::new()), "invalid_request", "authorization_invalid"),
        (RefusedRequest::GrantType, "unauthorized_client", "authorization_grant_type"),
        (RefusedRequest::ResponseType, "unsupported_response_type", "authorization_response_type"),
        (RefusedRequest::Scope, "invalid_scope", "authorization_scope"),
        (RefusedRequest::Resource(String::new()), "invalid_target", "authorization_resource"),
        (RefusedRequest::LoginRequired, "login_required", "login_required"),
        (RefusedRequest::ConsentRequired, "consent_required", "consent_required"),
    ];
    let redirect = |(reason, code, audit)| {
        let redirect_to = String::new();
        (AuthorizationError::Redirect { reason, redirect_to }, (303, code, audit))
    };
    rows.into_iter().map(redirect).collect()
}

fn login() -> Rows<LoginError> {
    let wrong = (403, "access_denied", "login_wrong_credentials");
    let unknown: AuthorizationError = UntrustedRequest::UnknownClient(String::new()).into();
    vec![
        (LoginError::ForeignForm, (403, "access_denied", "login_foreign_form")),
        (unknown.into(), (400, "invalid_client", "authorization_unknown_client")),
        (
            LoginError::ReservedSubject(Subject::of_client(&client().id)),
            (403, "access_denied", "login_reserved_subject"),
        ),
        (LoginError::WrongCredentials(Box::new(request())), wrong),
        (
            LoginError::ProviderUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT },
            (503, "temporarily_unavailable", "provider_unavailable"),
        ),
        (LoginError::Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Login, "limit_login"),
        too_many_as(LimitedAction::WrongPassword, "limit_wrong_password"),
        too_many_as(LimitedAction::WrongPasswordOfUser, "limit_wrong_password_of_user"),
        too_many_as(LimitedAction::WrongPasswordOfNetwork, "limit_wrong_password_of_network"),
    ]
}

fn provider_login() -> Rows<ProviderLoginError> {
    use ProviderLoginError::{
        ClientChanged, ForeignForm, Interrupted, Parameters, TooLong, Unavailable, UnknownProvider,
    };
    let parameters = (400, "invalid_request", "provider_login_parameters");
    let unknown: AuthorizationError = UntrustedRequest::UnknownClient(String::new()).into();
    let mut rows = vec![
        (ForeignForm, (403, "access_denied", "provider_login_foreign_form")),
        (
            UnknownProvider(String::new()),
            (400, "invalid_request", "provider_login_unknown_provider"),
        ),
        (Parameters(PARAMETERS), parameters),
        (TooLong("code"), parameters),
        (ClientChanged(client().id), (403, "access_denied", "provider_login_client_changed")),
        (unknown.into(), (400, "invalid_client", "authorization_unknown_client")),
        (Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Login, "limit_login"),
        too_many_as(LimitedAction::Authorization, "limit_authorization"),
    ];
    let no_such_login = [
        NoSuchLogin::NoCookie,
        NoSuchLogin::Unknown,
        NoSuchLogin::OtherBrowser,
        NoSuchLogin::OtherProvider,
        NoSuchLogin::TooLate,
    ];
    let row = (403, "access_denied", "provider_login_unknown");
    rows.extend(no_such_login.map(|error| (error.into(), row)));
    let failed = login_failures().into_iter();
    rows.extend(failed.map(|(reason, row)| (Interrupted(Box::new(failed_login(reason))), row)));
    rows
}

fn login_failures() -> Rows<LoginFailure> {
    use LoginFailure::{Declined, Failed, NotConfirmed, OtherIssuer, ProviderUnavailable};
    let provider = || ProviderName::parse("work").unwrap();
    let (error, reason) = (|| INSIDE.to_owned(), || INSIDE.to_owned());
    vec![
        (
            Declined { provider: provider(), error: error() },
            (303, "access_denied", "provider_login_declined"),
        ),
        (
            Failed { provider: provider(), error: error() },
            (303, "server_error", "provider_login_failed"),
        ),
        (
            NotConfirmed { provider: provider(), reason: reason() },
            (403, "server_error", "provider_login_not_confirmed"),
        ),
        (
            ProviderUnavailable { provider: provider(), reason: reason(), retry_after: WAIT },
            (503, "temporarily_unavailable", "provider_unavailable"),
        ),
        (
            OtherIssuer { provider: provider(), received: Issuer::new(INSIDE) },
            (403, "access_denied", "provider_login_other_issuer"),
        ),
        (
            NotAdmitted::NoVerifiedEmail.into(),
            (403, "access_denied", "provider_login_not_admitted"),
        ),
    ]
}

fn failed_login(reason: LoginFailure) -> FailedLogin {
    FailedLogin {
        reason,
        client: client().id,
        subject: None,
        redirect_uri: code().redirect_uri,
        redirect_to: String::new(),
    }
}

fn request() -> AuthorizationRequest {
    let redirect_uri = code().redirect_uri;
    AuthorizationRequest {
        client: client(),
        return_address: ReturnAddress::new(redirect_uri, None, Issuer::new(BASE)),
        challenge: code().challenge,
        resource: grant().resource,
        scope: grant().scope,
        prompt: Prompt::default(),
    }
}

fn consent() -> Rows<ConsentError> {
    let unknown: AuthorizationError = UntrustedRequest::UnknownClient(String::new()).into();
    vec![
        (ConsentError::ForeignForm, (403, "access_denied", "consent_foreign_form")),
        (unknown.into(), (400, "invalid_client", "authorization_unknown_client")),
        (ConsentError::Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Authorization, "limit_authorization"),
    ]
}

fn log_out() -> Rows<LogOutError> {
    vec![
        (LogOutError::ForeignForm, (403, "access_denied", "log_out_foreign_form")),
        (LogOutError::Unavailable(store_unavailable()), STORE),
    ]
}

fn token() -> Rows<TokenError> {
    let unauthorized = (400, "unauthorized_client", "token_unauthorized_client");
    vec![
        (PARAMETERS.into(), (400, "invalid_request", "token_parameters")),
        (TokenError::InUri("code"), (400, "invalid_request", "token_parameters_in_uri")),
        (
            TokenError::UnsupportedGrant(String::new()),
            (400, "unsupported_grant_type", "token_unsupported_grant"),
        ),
        (TokenError::NotRegisteredFor(GrantType::RefreshToken), unauthorized),
        (TokenError::Unavailable(store_unavailable()), STORE),
        too_many_as(LimitedAction::Token, "limit_token"),
        too_many_as(LimitedAction::TokenOfClient, "limit_token_of_client"),
        too_many_as(LimitedAction::WrongGrant, "limit_wrong_grant"),
    ]
}

fn client_authentication() -> Rows<TokenError> {
    use ClientAuthenticationError::{
        Assertion, AssertionMissing, AssertionReplayed, AssertionType, AssertionUnexpected,
        MalformedBasic, Parameters, SecretMissing, SeveralMethods, Unavailable, Unknown,
        WrongSecret, WrongSignature,
    };
    let invalid_client = |audit| (401, "invalid_client", audit);
    let rows = [
        (Parameters(PARAMETERS), (400, "invalid_request", "token_parameters")),
        (SeveralMethods, (400, "invalid_request", "client_several_methods")),
        (MalformedBasic, invalid_client("client_malformed_basic")),
        (Unknown { client: String::new(), by_basic: false }, invalid_client("client_unknown")),
        (SecretMissing, invalid_client("client_secret_missing")),
        (WrongSecret { by_basic: false }, invalid_client("client_wrong_secret")),
        too_many_as(LimitedAction::WrongSecret, "limit_wrong_secret"),
        (AssertionMissing, invalid_client("client_assertion_missing")),
        (AssertionUnexpected, invalid_client("client_assertion_unexpected")),
        (AssertionType, invalid_client("client_assertion_type")),
        (Assertion(AssertionError::Claim("jti")), invalid_client("client_assertion")),
        (WrongSignature, invalid_client("client_assertion_signature")),
        (AssertionReplayed, invalid_client("client_assertion_replayed")),
        (Unavailable(store_unavailable()), STORE),
    ];
    let documents = documents(401).into_iter().map(|(refused, row)| (refused.into(), row));
    rows.into_iter().chain(documents).map(|(error, row)| (error.into(), row)).collect()
}

fn exchange() -> Rows<TokenError> {
    use ExchangeError::{
        Expired, NoKey, OtherClient, Replayed, Revoked, Unavailable, UnknownCode, WrongRedirectUri,
        WrongResource, WrongVerifier,
    };
    let invalid_grant = |audit| (400, "invalid_grant", audit);
    let rows = [
        (UnknownCode, invalid_grant("code_unknown")),
        (OtherClient, invalid_grant("code_other_client")),
        (Expired, invalid_grant("code_expired")),
        (WrongRedirectUri, invalid_grant("code_wrong_redirect_uri")),
        (WrongVerifier, invalid_grant("code_wrong_verifier")),
        (WrongResource, (400, "invalid_target", "code_wrong_resource")),
        (Replayed, invalid_grant("code_replayed")),
        (Revoked, invalid_grant("code_revoked")),
        (Unavailable(store_unavailable()), STORE),
        (NoKey(keys_unavailable()), KEYS),
    ];
    rows.into_iter().map(|(error, row)| (error.into(), row)).collect()
}

fn refresh() -> Rows<TokenError> {
    use RefreshError::{
        Expired, NoKey, OtherClient, PersonGone, ProviderUnavailable, Replayed, Revoked,
        Unavailable, UnknownToken, WrongResource, WrongScope,
    };
    let invalid_grant = |audit| (400, "invalid_grant", audit);
    let provider = ProviderUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT };
    let rows = [
        (PersonGone, invalid_grant("refresh_person_gone")),
        (provider, (503, "temporarily_unavailable", "provider_unavailable")),
        (UnknownToken, invalid_grant("refresh_unknown")),
        (OtherClient, invalid_grant("refresh_other_client")),
        (Expired, invalid_grant("refresh_expired")),
        (Replayed, invalid_grant("refresh_replayed")),
        (Revoked, invalid_grant("refresh_revoked")),
        (WrongResource, (400, "invalid_target", "refresh_wrong_resource")),
        (WrongScope, (400, "invalid_scope", "refresh_wrong_scope")),
        (Unavailable(store_unavailable()), STORE),
        (NoKey(keys_unavailable()), KEYS),
    ];
    rows.into_iter().map(|(error, row)| (error.into(), row)).collect()
}

fn client_credentials() -> Rows<TokenError> {
    use ClientCredentialsError::{NoKey, PublicClient, WrongResource, WrongScope};
    let rows = [
        (PublicClient, (400, "unauthorized_client", "client_credentials_public")),
        (WrongScope, (400, "invalid_scope", "client_credentials_wrong_scope")),
        (WrongResource, (400, "invalid_target", "client_credentials_wrong_resource")),
        (NoKey(keys_unavailable()), KEYS),
    ];
    rows.into_iter().map(|(error, row)| (error.into(), row)).collect()
}

fn revocation() -> Rows<RevocationError> {
    use RevocationError::{OtherClient, Unavailable, VerifierUnavailable, WithoutGrant};
    let client = ClientAuthenticationError::SecretMissing;
    let verifier = VerifierUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT };
    let without_grant = (400, "unsupported_token_type", "revocation_without_grant");
    vec![
        (PARAMETERS.into(), (400, "invalid_request", "revocation_parameters")),
        (client.into(), (401, "invalid_client", "client_secret_missing")),
        (OtherClient, (400, "invalid_grant", "revocation_other_client")),
        (WithoutGrant, without_grant),
        (verifier, (503, "temporarily_unavailable", "verifier_unavailable")),
        (Unavailable(store_unavailable()), STORE),
    ]
}

fn introspection() -> Rows<IntrospectionError> {
    use IntrospectionError::{Anonymous, PublicClient, Unavailable, VerifierUnavailable};
    let client = ClientAuthenticationError::WrongSecret { by_basic: false };
    let verifier = VerifierUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT };
    vec![
        (PARAMETERS.into(), (400, "invalid_request", "introspection_parameters")),
        (client.into(), (401, "invalid_client", "client_wrong_secret")),
        (Anonymous, (401, "invalid_client", "introspection_anonymous")),
        (PublicClient, (401, "invalid_client", "introspection_public_client")),
        (verifier, (503, "temporarily_unavailable", "verifier_unavailable")),
        (Unavailable(store_unavailable()), STORE),
    ]
}

fn dev_token() -> Rows<DevTokenError> {
    vec![
        (PARAMETERS.into(), (400, "invalid_request", "dev_token_parameters")),
        (DevTokenError::Scope(String::new()), (400, "invalid_scope", "dev_token_scope")),
        (DevTokenError::Lifetime(String::new()), (400, "invalid_request", "dev_token_lifetime")),
        (DevTokenError::NoKey(keys_unavailable()), KEYS),
        too_many_as(LimitedAction::Token, "limit_token"),
    ]
}

fn transport() -> Rows<TransportError> {
    use TransportError::{
        BodyTooLarge, BodyTooSlow, BodyUnreadable, ContentType, Failed, ForeignHost, ForeignOrigin,
        HeadersTooLarge, Malformed, MethodNotAllowed, NotFound, NotOneHost, Parameters, UriTooLong,
    };
    let invalid = |status, audit| (status, "invalid_request", audit);
    vec![
        (NotFound, (404, "not_found", "not_found")),
        (MethodNotAllowed, invalid(405, "method_not_allowed")),
        (ContentType { expected: "text/plain" }, invalid(415, "content_type")),
        (BodyTooLarge { most: 7 }, invalid(413, "body_too_large")),
        (BodyTooSlow, invalid(408, "body_too_slow")),
        (BodyUnreadable, invalid(400, "body_unreadable")),
        (UriTooLong { most: 7 }, invalid(414, "uri_too_long")),
        (HeadersTooLarge { most_fields: 7, most_bytes: 7 }, invalid(431, "headers_too_large")),
        (NotOneHost, invalid(400, "not_one_host")),
        (ForeignHost, invalid(403, "foreign_host")),
        (ForeignOrigin, invalid(403, "foreign_origin")),
        (Parameters(PARAMETERS), invalid(400, "parameters")),
        (Malformed(String::new()), invalid(400, "malformed")),
        (Failed(INSIDE.to_owned()), (500, "server_error", "failed")),
    ]
}

/// Calls `check` with every refusal and the row it should have.
fn each(mut check: impl FnMut(Refusal<'_>, Row)) {
    access().iter().for_each(|(error, row)| check(Refusal::Access(error), *row));
    registration().iter().for_each(|(error, row)| check(Refusal::Registration(error), *row));
    let authorization = [untrusted_requests(), refused_requests()].into_iter().flatten();
    authorization.for_each(|(error, row)| check(Refusal::Authorization(&error), row));
    login().iter().for_each(|(error, row)| check(Refusal::Login(error), *row));
    provider_login().iter().for_each(|(error, row)| check(Refusal::ProviderLogin(error), *row));
    management().iter().for_each(|(error, row)| check(Refusal::Management(error), *row));
    consent().iter().for_each(|(error, row)| check(Refusal::Consent(error), *row));
    log_out().iter().for_each(|(error, row)| check(Refusal::LogOut(error), *row));
    let token = [token(), client_authentication(), exchange(), refresh(), client_credentials()];
    token.into_iter().flatten().for_each(|(error, row)| check(Refusal::Token(&error), row));
    revocation().iter().for_each(|(error, row)| check(Refusal::Revocation(error), *row));
    introspection().iter().for_each(|(error, row)| check(Refusal::Introspection(error), *row));
    dev_token().iter().for_each(|(error, row)| check(Refusal::DevToken(error), *row));
    transport().iter().for_each(|(error, row)| check(Refusal::Transport(error), *row));
    let provider = (503, "temporarily_unavailable", "provider_unavailable");
    check(Refusal::Provider(&provider_unavailable()), provider);
}

#[test]
fn az_10_rg_03_tk_17_every_error_has_its_status_oauth_code_and_audit_code() {
    each(|refusal, expected| assert_eq!(row(refusal), expected, "{refusal:?}"));
}

#[test]
fn who_may_come_back_is_told_when() {
    each(|refusal, (status, ..)| {
        let may = matches!(status, 429 | 503);
        assert_eq!(refusal.row().retry_after.is_some(), may, "{refusal:?}");
    });
}

#[test]
fn a_delay_that_a_port_asked_for_is_passed_on() {
    let passed_on = ["verifier_unavailable", "provider_unavailable"];
    each(|refusal, (_, _, audit)| {
        if passed_on.contains(&audit) || audit.starts_with("limit_") {
            assert_eq!(refusal.row().retry_after, Some(WAIT));
        }
    });
}

#[test]
fn the_public_text_says_what_went_wrong_and_nothing_of_the_inside() {
    each(|refusal, (status, ..)| {
        let public = refusal.public_text();
        assert!(!public.contains(INSIDE), "{public}");
        assert_eq!(public.contains("try again later"), status >= 500, "{refusal:?}");
        let allowed = |character| matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
        assert!(public.chars().all(allowed), "{public}");
    });
}

#[test]
fn the_audit_log_says_what_was_inside() {
    each(|refusal, (status, _, audit)| {
        let decision = format!("{:?}", refusal.decision());
        // A ceiling is nothing that broke inside, and what a client or a provider says is told to
        // the operator alone.
        let has_inside =
            (status >= 500 && audit != "registration_full") || ELSEWHERE.contains(&audit);
        assert_eq!(decision.contains(INSIDE), has_inside, "{decision}");
    });
}

#[test]
fn tk_14_who_failed_with_basic_is_asked_for_basic() {
    let unknown = |by_basic| ClientAuthenticationError::Unknown { client: String::new(), by_basic };
    let asked = [
        (ClientAuthenticationError::MalformedBasic, true),
        (unknown(true), true),
        (unknown(false), false),
        (ClientAuthenticationError::WrongSecret { by_basic: true }, true),
        (ClientAuthenticationError::WrongSecret { by_basic: false }, false),
        (ClientAuthenticationError::SecretMissing, false),
    ];
    for (error, basic) in asked {
        let error = TokenError::Client(error);
        assert_eq!(Refusal::Token(&error).row().challenge.is_some(), basic, "{error:?}");
    }
    let anonymous = Refusal::Introspection(&IntrospectionError::Anonymous).row();
    assert!(anonymous.challenge.is_some());
}

#[test]
fn every_audit_code_of_the_table_is_tested_here() {
    let table = include_str!("../../src/service/refusal.rs");
    let quoted = table.split('"').skip(1).step_by(2);
    let is_code =
        |text: &&str| !text.is_empty() && text.bytes().all(|b| b == b'_' || b.is_ascii_lowercase());
    let mut tested = BTreeSet::new();
    each(|_, (_, code, audit)| tested.extend([code, audit]));
    let untested: Vec<_> = quoted.filter(is_code).filter(|code| !tested.contains(code)).collect();
    assert_eq!(untested, Vec::<&str>::new());
}
