//! The table of refusals, row by row: status, OAuth code and audit code of every error.

use std::collections::BTreeSet;
use std::time::Duration;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::authorization::{AuthorizationRequest, Prompt, ReturnAddress};
use mcp_oauth_core::domain::bearer::MalformedCredentials;
use mcp_oauth_core::domain::client::GrantType;
use mcp_oauth_core::domain::client_assertion::AssertionError;
use mcp_oauth_core::domain::client_document_url::InvalidDocumentUrl;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::parameters::ParameterError;
use mcp_oauth_core::domain::redirect_uri::InvalidRedirectUri;
use mcp_oauth_core::port::DocumentError;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::authorize::{AuthorizationError, RefusedRequest, UntrustedRequest};
use mcp_oauth_core::service::consent::ConsentError;
use mcp_oauth_core::service::dev_token::DevTokenError;
use mcp_oauth_core::service::login::LoginError;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::register::RegistrationError;
use mcp_oauth_core::service::token::TokenError;
use mcp_oauth_core::service::{
    ClientAuthenticationError, ExchangeError, RefreshError, RefusedDocument,
};

use crate::samples::{
    BASE, INSIDE, client, code, grant, keys_unavailable, scope, store_unavailable,
};
use crate::world::row;

/// Status, OAuth code, audit code.
type Row = (u16, &'static str, &'static str);

/// An error, and the row it should have.
type Rows<E> = Vec<(E, Row)>;

const STORE: Row = (503, "temporarily_unavailable", "store_unavailable");
const KEYS: Row = (503, "temporarily_unavailable", "keys_unavailable");

/// How long the ports of these rows ask to wait.
const WAIT: Duration = Duration::from_secs(9);

const PARAMETERS: ParameterError = ParameterError::Missing("code");

fn access() -> Rows<AccessError> {
    let insufficient =
        AccessError::InsufficientScope { granted: String::new(), required: scope("mcp:tools") };
    let unavailable = AccessError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT };
    vec![
        (AccessError::NoCredentials, (401, "", "no_credentials")),
        (MalformedCredentials::Several.into(), (400, "invalid_request", "malformed_credentials")),
        (VerifyError::BadSignature.into(), (401, "invalid_token", "invalid_token")),
        (insufficient, (403, "insufficient_scope", "insufficient_scope")),
        (unavailable, (503, "temporarily_unavailable", "verifier_unavailable")),
    ]
}

fn registration() -> Rows<RegistrationError> {
    use RegistrationError::{Metadata, NotAnObject, RedirectUri, SoftwareStatement, Unavailable};
    let metadata = Metadata { member: "scope", reason: "not a string".to_owned() };
    vec![
        (NotAnObject(String::new()), (400, "invalid_client_metadata", "registration_malformed")),
        (RedirectUri(String::new()), (400, "invalid_redirect_uri", "registration_redirect_uri")),
        (metadata, (400, "invalid_client_metadata", "registration_metadata")),
        (
            SoftwareStatement,
            (400, "unapproved_software_statement", "registration_software_statement"),
        ),
        (Unavailable(store_unavailable()), STORE),
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
    ];
    rows.into_iter().chain(documents).collect()
}

fn refused_requests() -> Rows<AuthorizationError> {
    let rows = [
        (RefusedRequest::Invalid(String::new()), "invalid_request", "authorization_invalid"),
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
        (LoginError::WrongCredentials(Box::new(request())), wrong),
        (
            LoginError::ProviderUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT },
            (503, "temporarily_unavailable", "provider_unavailable"),
        ),
        (LoginError::Unavailable(store_unavailable()), STORE),
    ]
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
        Expired, NoKey, OtherClient, Replayed, Revoked, Unavailable, UnknownToken, WrongResource,
        WrongScope,
    };
    let invalid_grant = |audit| (400, "invalid_grant", audit);
    let rows = [
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

fn dev_token() -> Rows<DevTokenError> {
    vec![
        (PARAMETERS.into(), (400, "invalid_request", "dev_token_parameters")),
        (DevTokenError::Scope(String::new()), (400, "invalid_scope", "dev_token_scope")),
        (DevTokenError::Lifetime(String::new()), (400, "invalid_request", "dev_token_lifetime")),
        (DevTokenError::NoKey(keys_unavailable()), KEYS),
    ]
}

/// Calls `check` with every refusal and the row it should have.
fn each(mut check: impl FnMut(Refusal<'_>, Row)) {
    access().iter().for_each(|(error, row)| check(Refusal::Access(error), *row));
    registration().iter().for_each(|(error, row)| check(Refusal::Registration(error), *row));
    let authorization = [untrusted_requests(), refused_requests()].into_iter().flatten();
    authorization.for_each(|(error, row)| check(Refusal::Authorization(&error), row));
    login().iter().for_each(|(error, row)| check(Refusal::Login(error), *row));
    consent().iter().for_each(|(error, row)| check(Refusal::Consent(error), *row));
    let token = [token(), client_authentication(), exchange(), refresh()].into_iter().flatten();
    token.for_each(|(error, row)| check(Refusal::Token(&error), row));
    dev_token().iter().for_each(|(error, row)| check(Refusal::DevToken(error), *row));
}

#[test]
fn az_10_rg_03_tk_17_every_error_has_its_status_oauth_code_and_audit_code() {
    each(|refusal, expected| assert_eq!(row(refusal), expected, "{refusal:?}"));
}

#[test]
fn only_503_says_when_to_try_again() {
    each(|refusal, (status, ..)| {
        assert_eq!(refusal.row().retry_after.is_some(), status == 503, "{refusal:?}");
    });
}

#[test]
fn a_delay_that_a_port_asked_for_is_passed_on() {
    let passed_on = ["verifier_unavailable", "provider_unavailable"];
    each(|refusal, (_, _, audit)| {
        if passed_on.contains(&audit) {
            assert_eq!(refusal.row().retry_after, Some(WAIT));
        }
    });
}

#[test]
fn the_public_text_says_what_went_wrong_and_nothing_of_the_inside() {
    each(|refusal, (status, ..)| {
        let public = refusal.public_text();
        assert!(!public.contains(INSIDE), "{public}");
        assert_eq!(public.contains("try again later"), status == 503, "{refusal:?}");
        let allowed = |character| matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
        assert!(public.chars().all(allowed), "{public}");
    });
}

#[test]
fn the_audit_log_says_what_was_inside() {
    each(|refusal, (status, _, audit)| {
        let decision = format!("{:?}", refusal.decision());
        let has_inside = status == 503 || audit == "client_document_unusable";
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
        assert_eq!(Refusal::Token(&error).row().basic_challenge, basic, "{error:?}");
    }
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
