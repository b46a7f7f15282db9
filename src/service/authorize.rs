//! The authorization endpoint (OAuth 2.1 §4.1.1): who asks, for what, and what happens next.
//!
//! A request can be looked at any number of times and uses nothing up; only a consent that is
//! remembered leads to a code from here.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::claimed_client::named_client;
use super::client_directory::{ClientDirectory, NotFound, RefusedDocument};
use super::issue_code::IssueCode;
use super::people::People;
use super::policy::{Policy, ScopePolicy};
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::authorization::{
    AuthorizationQuery, AuthorizationRequest, AwaitingConsent, Prompt, ReturnAddress,
};
use crate::domain::client::{Client, ClientId, GrantType};
use crate::domain::consent::RememberedConsent;
use crate::domain::error_text::{error_text, shortened};
use crate::domain::limit::TooMany;
use crate::domain::login::LoginSession;
use crate::domain::navigation::Navigation;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::pkce::S256Challenge;
use crate::domain::public_address::PublicAddress;
use crate::domain::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::domain::resource::ResourceUri;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::SessionToken;
use crate::port::{AuditLog, Clock, ConsentMemory, LoginMethods, LoginSessions, StoreUnavailable};

/// How long a login counts as the one that `prompt=login` asked for.
const FRESH_LOGIN: Duration = Duration::from_secs(600);

/// Validates authorization requests and decides which page comes next.
pub struct Authorize {
    pub(super) clients: Arc<ClientDirectory>,
    pub(super) sessions: Arc<dyn LoginSessions>,
    pub(super) people: People,
    pub(super) consents: Arc<dyn ConsentMemory>,
    pub(super) issue_code: Arc<IssueCode>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) address: Arc<PublicAddress>,
    pub(super) policy: Arc<Policy>,
    pub(super) scopes: Arc<ScopePolicy>,
}

/// The page a person sees next.
#[derive(Debug)]
pub enum NextPage {
    /// Nobody is logged in in this browser, or the client wants it done again: with a password.
    Login(Box<AuthorizationRequest>),
    /// The same where people log in at a provider, and are asked before they are sent there.
    ConsentBeforeLogin(Box<AuthorizationRequest>),
    /// Somebody is, and has to be asked.
    Consent(Box<AwaitingConsent>),
    /// Somebody is and was asked before: back to the client, with a code.
    Return(String),
}

/// Why a request goes no further.
#[derive(Debug, Error)]
pub enum AuthorizationError {
    /// For the person only: the redirect address can't be trusted (OAuth 2.1 §4.1.2.1).
    #[error(transparent)]
    Page(#[from] UntrustedRequest),
    /// For the client, by redirect.
    #[error("{reason}")]
    Redirect {
        /// Why; its code is [`RefusedRequest::code`].
        reason: RefusedRequest,
        /// The client's redirect address with the error, `state` and `iss`.
        redirect_to: String,
    },
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// For the person first, who may then go back to the client with it: nobody vouches for where
    /// that is.
    #[error("{reason}")]
    Interrupted {
        /// What [`Self::Redirect`] would have told the client.
        reason: RefusedRequest,
        /// Where that is.
        redirect_uri: RedirectUri,
        /// The client's redirect address with the error, `state` and `iss`.
        redirect_to: String,
    },
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Why the one who sent a request is not told so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UntrustedRequest {
    /// A parameter that says where to answer is missing or repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// No such client is registered.
    #[error("no client {0:?} is registered here; if it was, it has to register again")]
    UnknownClient(String),
    /// The client is described by a document that is not used.
    #[error(transparent)]
    Document(#[from] RefusedDocument),
    /// The redirect address is none.
    #[error("the redirect address {0}")]
    InvalidRedirectUri(#[from] InvalidRedirectUri),
    /// The redirect address is not one the client registered.
    #[error("the client has not registered the redirect address {0:?}")]
    UnregisteredRedirectUri(String),
    /// The client registered several and named none.
    #[error("the client registered several redirect addresses and named none")]
    AmbiguousRedirectUri,
}

/// Why a client is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefusedRequest {
    /// A parameter is missing, repeated or malformed.
    #[error("{0}")]
    Invalid(String),
    /// The client gets its tokens in other ways.
    #[error("the client is not registered for the grant type authorization_code")]
    GrantType,
    /// Anything but `code`.
    #[error("only response_type code is supported")]
    ResponseType,
    /// None of the scopes is known, or one is malformed.
    #[error("none of the requested scopes is known here, or one is malformed")]
    Scope,
    /// The resource is somebody else's, or no resource.
    #[error("resource {0:?} is not served here")]
    Resource(String),
    /// `prompt=none`, and nobody is logged in.
    #[error("nobody is logged in")]
    LoginRequired,
    /// `prompt=none`, and no consent is remembered.
    #[error("the person has to be asked")]
    ConsentRequired,
}

impl RefusedRequest {
    /// The error code for the client.
    #[must_use]
    pub fn code(&self) -> &'static str {
        Refusal::authorization_code(self)
    }
}

impl Authorize {
    /// Decides which page comes next for a request, the browser's session cookie and the way the
    /// browser came here.
    ///
    /// # Errors
    /// [`AuthorizationError`], recorded in the audit log.
    pub async fn begin(
        &self,
        query: &AuthorizationQuery,
        session: Option<&SessionToken>,
        navigation: Navigation,
    ) -> Result<NextPage, AuthorizationError> {
        self.throttle.authorization().map_err(|many| self.record(many.into(), None))?;
        let request = self.examine(query).await?;
        let session = self.valid_session(session, Some(&request.client.id)).await?;
        match session {
            Some(session) if !request.prompt.login => self.ask(request, session, navigation).await,
            _ if request.prompt.none => Err(self.refuse(&request, RefusedRequest::LoginRequired)),
            _ => Ok(self.somebody(request)),
        }
    }

    /// Like [`Self::begin`] for a person who has just logged in, as `prompt=login` asks for. Only
    /// who is not logged in is counted once more.
    ///
    /// # Errors
    /// [`AuthorizationError`], recorded in the audit log.
    pub async fn proceed(
        &self,
        query: &AuthorizationQuery,
        session: Option<&SessionToken>,
        navigation: Navigation,
    ) -> Result<NextPage, AuthorizationError> {
        let session = self.valid_session(session, None).await?;
        // Nobody comes here from a login without one: it is a beginning like any other.
        if session.is_none() {
            self.throttle.authorization().map_err(|many| self.record(many.into(), None))?;
        }
        let request = self.examine(query).await?;
        match session {
            Some(session) if !request.prompt.login || self.is_fresh(&session) => {
                self.ask(request, session, navigation).await
            }
            _ if request.prompt.none => Err(self.refuse(&request, RefusedRequest::LoginRequired)),
            _ => Ok(self.somebody(request)),
        }
    }

    /// The page of somebody who has yet to prove who they are.
    fn somebody(&self, request: AuthorizationRequest) -> NextPage {
        match self.people.methods {
            LoginMethods::Password(_) => NextPage::Login(Box::new(request)),
            LoginMethods::Providers(_) => NextPage::ConsentBeforeLogin(Box::new(request)),
        }
    }

    fn is_fresh(&self, session: &LoginSession) -> bool {
        self.clock.now() <= session.logged_in_at.after(FRESH_LOGIN)
    }

    /// Asks, unless the person said yes before and came here of their own accord.
    async fn ask(
        &self,
        request: AuthorizationRequest,
        session: LoginSession,
        navigation: Navigation,
    ) -> Result<NextPage, AuthorizationError> {
        let awaiting = request.logged_in(session);
        let client = awaiting.client().clone();
        let unavailable = |error: StoreUnavailable| self.record(error.into(), Some(&client));
        if navigation == Navigation::Own
            && self.is_remembered(&awaiting).await.map_err(unavailable)?
        {
            let issued = self.issue_code.issue(awaiting, Decision::ConsentRemembered).await;
            return Ok(NextPage::Return(issued.map_err(unavailable)?.redirect_to));
        }
        if awaiting.request().prompt.none {
            return Err(self.refuse(awaiting.request(), RefusedRequest::ConsentRequired));
        }
        Ok(NextPage::Consent(Box::new(awaiting)))
    }

    async fn is_remembered(&self, awaiting: &AwaitingConsent) -> Result<bool, StoreUnavailable> {
        if self.policy.consent_lifetime.is_zero() || awaiting.request().prompt.consent {
            return Ok(false);
        }
        let Some(key) = RememberedConsent::key_of(awaiting) else { return Ok(false) };
        let remembered = self.consents.recall(&key).await?;
        Ok(remembered.is_some_and(|consent| consent.covers(awaiting, self.clock.now())))
    }

    /// The session behind a cookie, if it still counts.
    async fn valid_session(
        &self,
        session: Option<&SessionToken>,
        client: Option<&ClientId>,
    ) -> Result<Option<LoginSession>, AuthorizationError> {
        let Some(token) = session else { return Ok(None) };
        let session = match self.sessions.find(&token.hash()).await {
            Ok(session) => session,
            Err(unavailable) => return Err(self.record(unavailable.into(), client)),
        };
        let session = session.filter(|session| session.is_valid(self.clock.now()));
        let session = session.filter(|session| !self.people.log_in_for_each_grant(&session.person));
        let Some(session) = session else { return Ok(None) };
        // Nobody knows whether they still may: then they have to log in, and learn it there.
        let admitted = self.people.still_admits(&session.person).await;
        Ok(Some(session).filter(|_| admitted == Ok(true)))
    }

    /// Validates a request in full.
    pub(super) async fn examine(
        &self,
        query: &AuthorizationQuery,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        self.try_examine(query).await.map_err(|error| {
            let parameters = Parameters::parse(query.as_str().as_bytes()).unwrap_or_default();
            self.record(error, named_client(&parameters).as_ref())
        })
    }

    async fn try_examine(
        &self,
        query: &AuthorizationQuery,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        let parameters =
            Parameters::parse(query.as_str().as_bytes()).map_err(UntrustedRequest::Parameters)?;
        let client = self.known_client(&parameters).await?;
        let redirect_uri = permitted_redirect(&parameters, &client)?;
        // A repeated state can't be echoed; it is refused below, with the other parameters.
        let state = parameters.optional("state").ok().flatten().map(str::to_owned);
        let issuer = self.address.issuer().clone();
        let return_address = ReturnAddress::new(redirect_uri, state, issuer);
        match self.wanted(&parameters, &client) {
            Ok(wanted) => Ok(AuthorizationRequest {
                client,
                return_address,
                challenge: wanted.challenge,
                resource: wanted.resource,
                scope: wanted.scope,
                prompt: wanted.prompt,
            }),
            Err(reason) => Err(refused(&client, &return_address, reason)),
        }
    }

    async fn known_client(&self, parameters: &Parameters) -> Result<Client, AuthorizationError> {
        let id = parameters.required("client_id").map_err(UntrustedRequest::Parameters)?;
        self.clients.find(&ClientId::new(id)).await.map_err(|error| match error {
            NotFound::Unknown => UntrustedRequest::UnknownClient(shortened(id)).into(),
            NotFound::Document(refused) => UntrustedRequest::from(refused).into(),
            NotFound::Unavailable(unavailable) => unavailable.into(),
        })
    }

    fn wanted(&self, parameters: &Parameters, client: &Client) -> Result<Wanted, RefusedRequest> {
        parameters.optional("state")?;
        if !client.metadata.may_use(GrantType::AuthorizationCode) {
            return Err(RefusedRequest::GrantType);
        }
        if parameters.required("response_type")? != "code" {
            return Err(RefusedRequest::ResponseType);
        }
        Ok(Wanted {
            challenge: challenge(parameters)?,
            resource: self.resource(parameters)?,
            scope: self.scope(parameters, client)?,
            prompt: prompt(parameters)?,
        })
    }

    /// RFC 8707 §2; the canonical resource when the client names none.
    fn resource(&self, parameters: &Parameters) -> Result<ResourceUri, RefusedRequest> {
        let own = self.address.resource();
        let asked = match parameters.optional("resource") {
            Ok(None) => return Ok(own.canonical().clone()),
            Ok(Some(asked)) => asked,
            Err(_) => return Err(RefusedRequest::Resource("more than one".to_owned())),
        };
        match ResourceUri::parse(asked) {
            Ok(resource) if own.is_named_by(resource.as_str()) => Ok(resource),
            _ => Err(RefusedRequest::Resource(shortened(asked))),
        }
    }

    /// What is known of what is asked; without asking, what the client registered, or the default.
    fn scope(&self, parameters: &Parameters, client: &Client) -> Result<ScopeSet, RefusedRequest> {
        let Some(asked) = parameters.optional("scope")? else {
            let registered = client.metadata.scope.as_ref().map(|scope| self.scopes.known(scope));
            let registered = registered.filter(|scope| !scope.is_empty());
            return Ok(registered.unwrap_or_else(|| self.scopes.default.clone()));
        };
        let asked = ScopeSet::parse(asked).map_err(|_| RefusedRequest::Scope)?;
        let known = self.scopes.known(&asked);
        if known.is_empty() { Err(RefusedRequest::Scope) } else { Ok(known) }
    }

    fn refuse(&self, request: &AuthorizationRequest, reason: RefusedRequest) -> AuthorizationError {
        let error = refused(&request.client, &request.return_address, reason);
        self.record(error, Some(&request.client.id))
    }

    fn record(&self, error: AuthorizationError, client: Option<&ClientId>) -> AuthorizationError {
        let mut event = AuditEvent::new(Refusal::Authorization(&error).decision());
        event.client = client.cloned();
        self.audit.record(event);
        error
    }
}

/// What a request asks for once it is known who asks.
struct Wanted {
    challenge: S256Challenge,
    resource: ResourceUri,
    scope: ScopeSet,
    prompt: Prompt,
}

fn refused(
    client: &Client,
    return_address: &ReturnAddress,
    reason: RefusedRequest,
) -> AuthorizationError {
    let description = error_text(&reason.to_string());
    let parameters = [("error", reason.code()), ("error_description", description.as_str())];
    let redirect_to = return_address.answer(&parameters);
    if client.may_be_answered_unseen(return_address.redirect_uri()) {
        AuthorizationError::Redirect { reason, redirect_to }
    } else {
        let redirect_uri = return_address.redirect_uri().clone();
        AuthorizationError::Interrupted { reason, redirect_uri, redirect_to }
    }
}

/// The address a request names, or the only one the client registered.
fn permitted_redirect(
    parameters: &Parameters,
    client: &Client,
) -> Result<RedirectUri, UntrustedRequest> {
    let Some(asked) = parameters.optional("redirect_uri")? else {
        return match client.metadata.redirect_uris.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(UntrustedRequest::AmbiguousRedirectUri),
        };
    };
    let asked = RedirectUri::parse(asked)?;
    if client.metadata.permits_redirect(&asked) {
        Ok(asked)
    } else {
        Err(UntrustedRequest::UnregisteredRedirectUri(asked.as_str().to_owned()))
    }
}

/// PKCE is for everyone, S256 only; no method would mean `plain` (RFC 7636 §4.3).
fn challenge(parameters: &Parameters) -> Result<S256Challenge, RefusedRequest> {
    let challenge = parameters.required("code_challenge")?;
    if parameters.optional("code_challenge_method")? != Some("S256") {
        return Err(RefusedRequest::Invalid("code_challenge_method has to be S256".to_owned()));
    }
    S256Challenge::parse(challenge).map_err(|error| RefusedRequest::Invalid(error.to_string()))
}

fn prompt(parameters: &Parameters) -> Result<Prompt, RefusedRequest> {
    let mut prompt = Prompt::default();
    let values: Vec<&str> = parameters.optional("prompt")?.unwrap_or("").split(' ').collect();
    for value in &values {
        match *value {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            // Values nobody knows are ignored.
            _ => {}
        }
    }
    if prompt.none && values.len() > 1 {
        return Err(RefusedRequest::Invalid("prompt none goes with no other value".to_owned()));
    }
    Ok(prompt)
}

impl From<ParameterError> for RefusedRequest {
    fn from(error: ParameterError) -> Self {
        Self::Invalid(error.to_string())
    }
}
