//! Logging a person in at their provider, with our consent before and our code afterwards (OpenID
//! Connect Core §3.1, with this server as the client).
//!
//! The consent comes first: a provider that knows the person may answer without asking anything, and
//! then nobody would have been asked for whom the code is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use thiserror::Error;

use super::authorize::{AuthorizationError, Authorize};
use super::consent::Consent;
use super::issue_code::Issued;
use super::policy::Policy;
use super::provider_tokens::TokensForTools;
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::admission::NotAdmitted;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::authorization::{AuthorizationQuery, AuthorizationRequest};
use crate::domain::client::ClientId;
use crate::domain::error_text::shortened;
use crate::domain::form_token::{FormToken, ProtectedForm};
use crate::domain::issuer::Issuer;
use crate::domain::limit::TooMany;
use crate::domain::login::LoginSession;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::person::{Person, Subject};
use crate::domain::provider::ProviderName;
use crate::domain::provider_login::{
    LONGEST_LOGIN, LoginSecrets, PendingLogin, ProviderAnswer, ProviderRequest, ProviderTokens,
};
use crate::domain::public_address::PublicAddress;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::secret::{
    BrowserToken, LoginCookie, ProviderState, SECRET_BYTES, SessionToken, from_base64url,
};
use crate::port::{
    AuditLog, CameBack, Clock, LoginProvider, LoginSessions, PendingLogins, ProviderError, Random,
    StoreUnavailable,
};

/// The longest parameter of a provider's answer that is looked at, in bytes; the codes of the
/// providers we know have less than half of it.
const LONGEST_PARAMETER: usize = 4096;

/// What a provider answers with when it is the person who did not log in (RFC 6749 §4.1.2.1, OpenID
/// Connect Core §3.1.2.6).
const DECLINED: [&str; 4] =
    ["access_denied", "login_required", "interaction_required", "consent_required"];

/// Sends people to their provider, and logs in those who come back.
pub struct ProviderLogin {
    pub(super) providers: Vec<LoginProvider>,
    pub(super) pending: Arc<dyn PendingLogins>,
    pub(super) sessions: Arc<dyn LoginSessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) address: Arc<PublicAddress>,
    pub(super) policy: Arc<Policy>,
    pub(super) authorize: Arc<Authorize>,
    pub(super) consent: Arc<Consent>,
    pub(super) tokens: Option<Arc<TokensForTools>>,
}

/// A consent form from before the login, as it came back.
pub struct ProviderChoice {
    /// The authorization request the form carried along.
    pub query: AuthorizationQuery,
    /// The browser's cookie.
    pub browser: Option<BrowserToken>,
    /// The cookie of a login at a provider that the browser may have begun before.
    pub cookie: Option<LoginCookie>,
    /// The form's token.
    pub form_token: String,
    /// The provider behind the button; `None` is a no.
    pub provider: Option<String>,
}

/// Where a person goes from their consent.
pub enum Onward {
    /// To the provider, with a cookie by which the browser is known when it comes back.
    ToProvider {
        /// The provider's authorization endpoint with our request.
        address: String,
        /// Lives for [`LONGEST_LOGIN`].
        cookie: LoginCookie,
    },
    /// They said no: back to the client.
    ToClient(String),
}

/// A browser that a provider sent back.
pub struct ProviderReturn {
    /// The provider in the path.
    pub provider: String,
    /// The raw query.
    pub query: String,
    /// The cookie of the login.
    pub cookie: Option<LoginCookie>,
}

/// Somebody who logged in at their provider and had consented before.
pub struct LoggedIn {
    /// The value of the login session's cookie.
    pub session: SessionToken,
    /// The client's redirect address with a code.
    pub redirect_to: String,
}

/// The addresses have a state or a code in them.
impl fmt::Debug for Onward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToProvider { .. } => f.debug_struct("ToProvider").finish_non_exhaustive(),
            Self::ToClient(_) => f.debug_struct("ToClient").finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").finish_non_exhaustive()
    }
}

/// Why nobody is logged in.
#[derive(Debug, Error)]
pub enum ProviderLoginError {
    /// The form was not shown by this server to this browser.
    #[error("this form was not made for this browser, or its cookie is gone")]
    ForeignForm,
    /// There is no such provider.
    #[error("{0:?} is no provider to log in at here")]
    UnknownProvider(String),
    /// A parameter of the provider's answer is missing or repeated.
    #[error("the login provider's answer can't be read: {0}")]
    Parameters(#[from] ParameterError),
    /// A parameter of the provider's answer is too long.
    #[error(
        "the login provider's answer can't be read: {0} has more than {LONGEST_PARAMETER} bytes"
    )]
    TooLong(&'static str),
    /// The answer belongs to no login of this browser.
    #[error(transparent)]
    NoSuchLogin(#[from] NoSuchLogin),
    /// The client is not what it was when the person was asked.
    #[error(
        "the application has changed since you allowed it; start again and you will be asked anew"
    )]
    ClientChanged(ClientId),
    /// The authorization request is no good, or not any more.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The provider sent the person back without a login: for the client, by redirect.
    #[error("{}", .0.reason)]
    Redirect(Box<FailedLogin>),
    /// For the person first, who may then go back to the client with it.
    #[error("{}", .0.reason)]
    Interrupted(Box<FailedLogin>),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Why an answer belongs to no login; the person is told the same of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoSuchLogin {
    /// The browser never began one, or too long ago.
    #[error("the browser has no cookie of a login")]
    NoCookie,
    /// It was finished before, began in another browser, or never.
    #[error("no login of this browser has this state")]
    Unknown,
    /// It began in another browser. No browser finds the login of another, since the name of a login
    /// is made from the cookie; this is defence in depth, should a store ever find too much.
    #[error("the login is that of another browser")]
    OtherBrowser,
    /// It began at another provider.
    #[error("the login is one at another provider")]
    OtherProvider,
    /// It took longer than [`LONGEST_LOGIN`].
    #[error("the login began too long ago")]
    TooLate,
}

/// A login that came to nothing, and how the client can be told.
#[derive(Debug)]
pub struct FailedLogin {
    /// Why.
    pub reason: LoginFailure,
    /// For which client it was.
    pub client: ClientId,
    /// Who it was, if they are known.
    pub subject: Option<Subject>,
    /// The client's redirect address.
    pub redirect_uri: RedirectUri,
    /// The same with the error, `state` and `iss`.
    pub redirect_to: String,
}

/// Why a provider's word lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginFailure {
    /// The person did not log in there.
    #[error("the provider {provider} answered {error:?}")]
    Declined {
        /// Which.
        provider: ProviderName,
        /// Its code and its text.
        error: String,
    },
    /// The provider refuses us, or failed.
    #[error("the provider {provider} answered {error:?}")]
    Failed {
        /// Which.
        provider: ProviderName,
        /// Its code and its text.
        error: String,
    },
    /// What the provider vouches with is not accepted.
    #[error("the provider {provider} confirmed nobody: {reason}")]
    NotConfirmed {
        /// Which.
        provider: ProviderName,
        /// For the log.
        reason: String,
    },
    /// The provider can't be asked.
    #[error("the provider {provider} is unavailable: {reason}")]
    ProviderUnavailable {
        /// Which.
        provider: ProviderName,
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The provider vouches as an issuer that it may not vouch as.
    #[error("the provider {provider} vouches as {received:?}, which is none of its issuers here")]
    OtherIssuer {
        /// Which.
        provider: ProviderName,
        /// The `iss` claim.
        received: Issuer,
    },
    /// The operator does not let them in.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
}

impl LoginFailure {
    fn of_provider(provider: &ProviderName, error: ProviderError) -> Self {
        let provider = provider.clone();
        match error {
            ProviderError::Refused(reason) => Self::NotConfirmed { provider, reason },
            ProviderError::Unavailable { reason, retry_after } => {
                Self::ProviderUnavailable { provider, reason, retry_after }
            }
        }
    }

    /// What the client may know: nothing that the provider said, and nothing of the person.
    fn told_to_client(&self) -> &'static str {
        match self {
            Self::Declined { .. } | Self::OtherIssuer { .. } | Self::NotAdmitted(_) => {
                "the request was denied"
            }
            Self::Failed { .. } | Self::NotConfirmed { .. } => "the login failed",
            Self::ProviderUnavailable { .. } => "nobody can log in at the moment, try again later",
        }
    }
}

impl ProviderLogin {
    /// The providers to choose from: name and title of each.
    pub fn choices(&self) -> impl Iterator<Item = (&ProviderName, &str)> {
        self.providers.iter().map(|provider| (&provider.name, provider.title.as_str()))
    }

    /// Takes a person's answer to the consent form and sends those who said yes to the provider they
    /// chose. Nothing is stored for anybody else.
    ///
    /// # Errors
    /// [`ProviderLoginError`], recorded in the audit log.
    pub async fn begin(&self, choice: ProviderChoice) -> Result<Onward, ProviderLoginError> {
        self.try_begin(choice).await.map_err(|error| self.record(error))
    }

    async fn try_begin(&self, choice: ProviderChoice) -> Result<Onward, ProviderLoginError> {
        self.throttle.authorization()?;
        let browser = choice.browser.as_ref().ok_or(ProviderLoginError::ForeignForm)?.hash();
        let expected = FormToken::new(ProtectedForm::ConsentBeforeLogin(&browser, &choice.query));
        if !expected.matches(&choice.form_token) {
            return Err(ProviderLoginError::ForeignForm);
        }
        let request = self.authorize.examine(&choice.query).await?;
        let Some(chosen) = &choice.provider else {
            let event = AuditEvent::new(Decision::ConsentDenied);
            self.audit.record(event.client(&request.client.id));
            return Ok(Onward::ToClient(request.deny()));
        };
        let provider = self.provider(chosen)?;
        let secrets = self.fresh_secrets(choice.cookie);
        let asked = ProviderRequest {
            redirect_uri: self.address.callback(&provider.name),
            secrets: secrets.clone(),
            login_again: request.prompt.login,
            resource: request.resource.clone(),
        };
        // Before anything is stored: it may not know where to send anybody.
        let address = provider.provider.login_address(&asked).await.map_err(|error| {
            interrupted(&request, None, LoginFailure::of_provider(&provider.name, error))
        })?;
        let login = PendingLogin {
            state: secrets.name(),
            cookie: secrets.cookie().hash(),
            provider: provider.name.clone(),
            client_digest: request.client.consent_digest(),
            query: choice.query,
            expires_at: self.clock.now().after(LONGEST_LOGIN),
        };
        self.pending.begin(&login).await?;
        Ok(Onward::ToProvider { address, cookie: secrets.cookie().clone() })
    }

    fn provider(&self, name: &str) -> Result<&LoginProvider, ProviderLoginError> {
        let found = self.providers.iter().find(|provider| provider.name.as_str() == name);
        found.ok_or_else(|| ProviderLoginError::UnknownProvider(shortened(name)))
    }

    /// One cookie for all logins of a browser, so that none of its tabs disturbs another; a state of
    /// its own for each.
    fn fresh_secrets(&self, cookie: Option<LoginCookie>) -> LoginSecrets {
        let cookie = cookie.filter(is_one_of_ours);
        let cookie = cookie.unwrap_or_else(|| LoginCookie::from_entropy(self.random.entropy()));
        LoginSecrets::new(cookie, ProviderState::from_entropy(self.random.entropy()))
    }

    /// Takes what a provider sent a browser back with. Whoever logged in and is let in gets a login
    /// session, and the client the code they had consented to.
    ///
    /// An answer counts once, and only in the browser in which the login began.
    ///
    /// # Errors
    /// [`ProviderLoginError`], recorded in the audit log; nobody is logged in and nothing is granted.
    pub async fn finish(&self, back: ProviderReturn) -> Result<LoggedIn, ProviderLoginError> {
        self.try_finish(back).await.map_err(|error| self.record(error))
    }

    async fn try_finish(&self, back: ProviderReturn) -> Result<LoggedIn, ProviderLoginError> {
        self.throttle.login()?;
        let provider = self.provider(&back.provider)?;
        let answer = Answered::read(&back.query)?;
        let cookie = back.cookie.ok_or(NoSuchLogin::NoCookie)?;
        let secrets = LoginSecrets::new(cookie, answer.state);
        let login = self.take(&secrets, provider).await?;
        let request = self.authorize.examine(&login.query).await?;
        if request.client.consent_digest() != login.client_digest {
            return Err(ProviderLoginError::ClientChanged(request.client.id));
        }
        let code = match answer.outcome {
            Outcome::Code(code) => code,
            Outcome::Error(error) => return Err(sent_back(&request, provider, error)),
        };
        let came_back = ProviderAnswer {
            code,
            issuer: answer.issuer,
            redirect_uri: self.address.callback(&provider.name),
            secrets,
            login_again: request.prompt.login,
            resource: request.resource.clone(),
        };
        let person = who(provider, &came_back).await;
        let (person, tokens) =
            person.map_err(|(subject, reason)| interrupted(&request, subject, reason))?;
        let (session, issued) = self.log_in(request, person).await?;
        if let Some(for_tools) = &self.tokens {
            for_tools.keep(&issued.grant, provider, &tokens).await;
        }
        Ok(LoggedIn { session, redirect_to: issued.redirect_to })
    }

    /// The login that an answer belongs to. From now on there is none any more.
    async fn take(
        &self,
        secrets: &LoginSecrets,
        provider: &LoginProvider,
    ) -> Result<PendingLogin, ProviderLoginError> {
        let found = self.pending.take_once(&secrets.name()).await?;
        let login = found.ok_or(NoSuchLogin::Unknown)?;
        if !login.cookie.matches(secrets.cookie()) {
            return Err(NoSuchLogin::OtherBrowser.into());
        }
        if login.provider != provider.name {
            return Err(NoSuchLogin::OtherProvider.into());
        }
        if self.clock.now() >= login.expires_at {
            return Err(NoSuchLogin::TooLate.into());
        }
        Ok(login)
    }

    async fn log_in(
        &self,
        request: AuthorizationRequest,
        person: Person,
    ) -> Result<(SessionToken, Issued), ProviderLoginError> {
        // A new token at every login, so that nobody can plant a session beforehand.
        let token = SessionToken::from_entropy(self.random.entropy());
        let now = self.clock.now();
        let lifetime = self.policy.session_lifetime;
        let session = LoginSession::start(token.hash(), person, now, lifetime);
        self.sessions.open(&session).await?;
        let event = AuditEvent::new(Decision::LoggedIn).subject(&session.person.subject);
        self.audit.record(event.client(&request.client.id));
        Ok((token, self.consent.approve(request.logged_in(session)).await?))
    }

    fn record(&self, error: ProviderLoginError) -> ProviderLoginError {
        // A refused authorization request has recorded itself.
        if matches!(error, ProviderLoginError::Authorization(_)) {
            return error;
        }
        let mut event = AuditEvent::new(Refusal::ProviderLogin(&error).decision());
        match &error {
            ProviderLoginError::Redirect(failed) | ProviderLoginError::Interrupted(failed) => {
                event.client = Some(failed.client.clone());
                event.subject.clone_from(&failed.subject);
            }
            ProviderLoginError::ClientChanged(client) => event.client = Some(client.clone()),
            _ => {}
        }
        self.audit.record(event);
        error
    }
}

/// What a provider answered (RFC 6749 §4.1.2), read before anything is used up.
struct Answered {
    state: ProviderState,
    issuer: Option<String>,
    outcome: Outcome,
}

enum Outcome {
    Code(SecretString),
    /// The provider's code and text, for the log.
    Error(ReportedError),
}

struct ReportedError {
    code: String,
    text: Option<String>,
}

impl Answered {
    fn read(query: &str) -> Result<Self, ProviderLoginError> {
        let parameters = Parameters::parse(query.as_bytes())?;
        let state = bounded("state", parameters.required("state")?)?;
        let issuer = parameters.optional("iss")?.map(|issuer| bounded("iss", issuer));
        let error = parameters.optional("error")?;
        let text = parameters.optional("error_description")?.map(shortened);
        let code = parameters.optional("code")?;
        let outcome = match (error, code) {
            (Some(code), _) => Outcome::Error(ReportedError { code: shortened(code), text }),
            (None, Some(code)) => Outcome::Code(bounded("code", code)?.into()),
            (None, None) => return Err(ParameterError::Missing("code").into()),
        };
        Ok(Self {
            state: ProviderState::presented(state),
            issuer: issuer.transpose()?.map(str::to_owned),
            outcome,
        })
    }
}

fn bounded<'a>(name: &'static str, value: &'a str) -> Result<&'a str, ProviderLoginError> {
    if value.len() > LONGEST_PARAMETER { Err(ProviderLoginError::TooLong(name)) } else { Ok(value) }
}

/// Somebody may have planted any text.
fn is_one_of_ours(cookie: &LoginCookie) -> bool {
    from_base64url(cookie.expose()).is_some_and(|bytes| bytes.len() == SECRET_BYTES)
}

/// Who came back and with what, if they are let in; of somebody who is not, who it was.
async fn who(
    provider: &LoginProvider,
    answer: &ProviderAnswer,
) -> Result<(Person, ProviderTokens), (Option<Subject>, LoginFailure)> {
    let came_back = provider.provider.who_came_back(answer).await;
    let CameBack { identity, tokens } =
        came_back.map_err(|error| (None, LoginFailure::of_provider(&provider.name, error)))?;
    if !provider.issuer.accepts(&identity.issuer) {
        let (provider, received) = (provider.name.clone(), identity.issuer);
        return Err((None, LoginFailure::OtherIssuer { provider, received }));
    }
    let person = identity.into_person(provider.name.clone(), &provider.carried);
    match provider.admission.check(&person) {
        Ok(()) => Ok((person, tokens)),
        Err(refused) => Err((Some(person.subject), refused.into())),
    }
}

fn sent_back(
    request: &AuthorizationRequest,
    provider: &LoginProvider,
    reported: ReportedError,
) -> ProviderLoginError {
    let provider = provider.name.clone();
    let declined = DECLINED.contains(&reported.code.as_str());
    let error = match reported.text {
        Some(text) => format!("{}: {text}", reported.code),
        None => reported.code,
    };
    let reason = match declined {
        true => LoginFailure::Declined { provider, error },
        false => LoginFailure::Failed { provider, error },
    };
    ProviderLoginError::Redirect(failed(request, None, reason))
}

fn interrupted(
    request: &AuthorizationRequest,
    subject: Option<Subject>,
    reason: LoginFailure,
) -> ProviderLoginError {
    ProviderLoginError::Interrupted(failed(request, subject, reason))
}

fn failed(
    request: &AuthorizationRequest,
    subject: Option<Subject>,
    reason: LoginFailure,
) -> Box<FailedLogin> {
    let code = Refusal::login_failure_code(&reason);
    let redirect_to = request
        .return_address
        .answer(&[("error", code), ("error_description", reason.told_to_client())]);
    Box::new(FailedLogin {
        reason,
        client: request.client.id.clone(),
        subject,
        redirect_uri: request.return_address.redirect_uri().clone(),
        redirect_to,
    })
}
