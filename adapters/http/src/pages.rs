//! What a person sees between the client's redirect and the way back: login, consent, errors.

use std::sync::Arc;

use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use mcp_oauth_core::domain::authorization::{
    AuthorizationQuery, AuthorizationRequest, AwaitingConsent,
};
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::login::PasswordAnswer;
use mcp_oauth_core::domain::navigation::Navigation;
use mcp_oauth_core::domain::parameters::Parameters;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::secret::BrowserToken;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::authorize::{AuthorizationError, NextPage};
use mcp_oauth_core::service::consent::{ConsentAnswer, ConsentError};
use mcp_oauth_core::service::login::{Login, LoginAttempt, LoginError};
use mcp_oauth_core::service::refusal::Refusal;
use poem::endpoint::{BoxEndpoint, make};
use poem::{Body, EndpointExt, Request, Response, Route};

use crate::api_body::BodyFormat;
use crate::browser_cookies::BrowserCookies;
use crate::methods::{get, get_and_post, post};
use crate::page_templates::{
    Asked, ConsentPage, ErrorPage, LogOutPage, LoggedOutPage, LoginPage, ScopeLine, WayBack, page,
};

/// How the browser came to a page; no script can set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The pages over the use cases.
pub(crate) struct Pages {
    pub(crate) use_cases: UseCases,
    pub(crate) cookies: BrowserCookies,
}

/// Adds the browser's part of the flow.
pub(crate) fn add_pages(routes: Route, use_cases: &UseCases) -> Route {
    let cookies = BrowserCookies::new(use_cases.address.is_https());
    let pages = Arc::new(Pages { use_cases: use_cases.clone(), cookies });
    let routes = match (&use_cases.login, &use_cases.provider_login) {
        (Some(login), _) => routes.at("/login", post(pages.login_endpoint(login))),
        (None, Some(login)) => routes.at("/callback/:provider", get(pages.callback(login))),
        (None, None) => routes,
    };
    routes
        .at("/authorize", get(pages.endpoint(Pages::authorize)))
        .at(
            "/logout",
            get_and_post(
                pages.endpoint(Pages::ask_to_log_out),
                pages.form_endpoint(Pages::log_out),
            ),
        )
        .at(
            "/consent",
            get_and_post(pages.endpoint(Pages::show_consent), pages.form_endpoint(Pages::consent)),
        )
}

/// A request to a page: its query and its headers.
pub(crate) struct Visit {
    pub(crate) query: AuthorizationQuery,
    pub(crate) headers: HeaderMap,
}

impl Visit {
    fn navigation(&self) -> Navigation {
        let values = self.headers.get_all(SEC_FETCH_SITE);
        let values: Vec<_> =
            values.iter().map(|value| value.to_str().unwrap_or_default()).collect();
        Navigation::from_sec_fetch_site(&values)
    }
}

/// A form that came back.
pub(crate) struct Submission {
    pub(crate) query: AuthorizationQuery,
    pub(crate) headers: HeaderMap,
    form: Parameters,
}

impl Submission {
    pub(crate) fn field(&self, name: &'static str) -> String {
        self.form.optional(name).ok().flatten().unwrap_or_default().to_owned()
    }
}

impl Pages {
    fn endpoint<F, A>(self: &Arc<Self>, show: F) -> BoxEndpoint<'static>
    where
        F: Fn(Arc<Self>, Visit) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        let pages = Arc::clone(self);
        let handler = move |request: Request| {
            let query = AuthorizationQuery::new(request.uri().query().unwrap_or_default());
            show(Arc::clone(&pages), Visit { query, headers: request.headers().clone() })
        };
        make(handler).boxed()
    }

    fn form_endpoint<F, A>(self: &Arc<Self>, take: F) -> BoxEndpoint<'static>
    where
        F: Fn(Arc<Self>, Submission) -> A + Send + Sync + Clone + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        let pages = Arc::clone(self);
        let handler = move |request: Request| {
            let (pages, take) = (Arc::clone(&pages), take.clone());
            async move {
                let (request, mut body) = request.split();
                let form = match Parameters::read(&request, &mut body).await {
                    Ok(form) => form,
                    Err(error) => return error.into_response(),
                };
                let query = form.optional("authorization").ok().flatten().unwrap_or_default();
                let query = AuthorizationQuery::new(query);
                let headers = request.headers().clone();
                take(pages, Submission { query, headers, form }).await
            }
        };
        make(handler).boxed()
    }

    async fn authorize(self: Arc<Self>, visit: Visit) -> Response {
        let session = self.cookies.session(&visit.headers);
        let authorize = &self.use_cases.authorize;
        match authorize.begin(&visit.query, session.as_ref(), visit.navigation()).await {
            Ok(next) => self.next_page(&visit, next),
            Err(error) => self.refused(&error),
        }
    }

    fn next_page(&self, visit: &Visit, next: NextPage) -> Response {
        match next {
            NextPage::Return(redirect_to) => see_other(&redirect_to),
            NextPage::Login(request) => self.login_page(visit, &request),
            NextPage::ConsentBeforeLogin(request) => {
                self.consent_before_login_page(visit, &request)
            }
            NextPage::Consent(awaiting) => self.consent_page(&visit.query, &awaiting),
        }
    }

    fn login_endpoint(self: &Arc<Self>, login: &Arc<Login>) -> BoxEndpoint<'static> {
        let login = Arc::clone(login);
        self.form_endpoint(move |pages, submission| {
            let login = Arc::clone(&login);
            async move { pages.log_in(&login, submission).await }
        })
    }

    async fn log_in(&self, login: &Login, submission: Submission) -> Response {
        let attempt = LoginAttempt {
            query: submission.query.clone(),
            browser: self.cookies.browser(&submission.headers),
            form_token: submission.field("form_token"),
            answer: PasswordAnswer {
                username: submission.field("username"),
                password: submission.field("password").into(),
            },
        };
        match login.log_in(attempt).await {
            Ok(session) => {
                let base = self.use_cases.address.base_path();
                let mut response =
                    see_other(&format!("{base}/consent?{}", submission.query.as_str()));
                add_cookie(&mut response, self.cookies.set_session(&session));
                response
            }
            Err(LoginError::WrongCredentials(request)) => self.login_again(&submission, &request),
            Err(LoginError::Authorization(error)) => self.refused(&error),
            Err(error) => self.error_page(Refusal::Login(&error)),
        }
    }

    async fn show_consent(self: Arc<Self>, visit: Visit) -> Response {
        let session = self.cookies.session(&visit.headers);
        let authorize = &self.use_cases.authorize;
        match authorize.proceed(&visit.query, session.as_ref(), visit.navigation()).await {
            Ok(next) => self.next_page(&visit, next),
            Err(error) => self.refused(&error),
        }
    }

    async fn consent(self: Arc<Self>, submission: Submission) -> Response {
        if let Some(login) = self.chooses_provider(&submission) {
            return self.choose_provider(login, &submission).await;
        }
        let answer = ConsentAnswer {
            query: submission.query.clone(),
            session: self.cookies.session(&submission.headers),
            form_token: submission.field("form_token"),
            approved: submission.field("decision") == "approve",
        };
        match self.use_cases.consent.answer(answer).await {
            Ok(redirect_to) => see_other(&redirect_to),
            Err(ConsentError::Authorization(error)) => self.refused(&error),
            Err(error) => self.error_page(Refusal::Consent(&error)),
        }
    }

    async fn ask_to_log_out(self: Arc<Self>, visit: Visit) -> Response {
        let cookie = self.cookies.session(&visit.headers);
        let session = match self.use_cases.log_out.session(cookie.as_ref()).await {
            Ok(Some(session)) => session,
            Ok(None) => return self.logged_out_page(),
            Err(error) => return self.error_page(Refusal::LogOut(&error)),
        };
        let form_token = FormToken::new(ProtectedForm::LogOut(&session.hash));
        let template = LogOutPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
            person: session.person.display_name(),
            form_token: form_token.as_str(),
        };
        page(StatusCode::OK, &template)
    }

    async fn log_out(self: Arc<Self>, submission: Submission) -> Response {
        let cookie = self.cookies.session(&submission.headers);
        let form_token = submission.field("form_token");
        match self.use_cases.log_out.log_out(cookie.as_ref(), &form_token).await {
            Ok(()) => {
                let mut response = self.logged_out_page();
                add_cookie(&mut response, self.cookies.end_session());
                response
            }
            Err(error) => self.error_page(Refusal::LogOut(&error)),
        }
    }

    fn logged_out_page(&self) -> Response {
        let template = LoggedOutPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
        };
        page(StatusCode::OK, &template)
    }

    fn login_page(&self, visit: &Visit, request: &AuthorizationRequest) -> Response {
        let (browser, cookie) = self.browser(visit);
        let form_token = FormToken::new(ProtectedForm::Login(&browser.hash(), &visit.query));
        let template = self.login_template(&visit.query, request, &form_token);
        let mut response = page(StatusCode::OK, &template);
        add_cookie(&mut response, cookie);
        response
    }

    /// The browser of a request, and the header that marks it when nothing has yet.
    pub(crate) fn browser(&self, visit: &Visit) -> (BrowserToken, Option<HeaderValue>) {
        if let Some(known) = self.cookies.browser(&visit.headers) {
            return (known, None);
        }
        let fresh = self.use_cases.reception.fresh_browser();
        let cookie = self.cookies.set_browser(&fresh);
        (fresh, cookie)
    }

    /// The same form once more, which proved to be this browser's.
    fn login_again(&self, submission: &Submission, request: &AuthorizationRequest) -> Response {
        let Some(browser) = self.cookies.browser(&submission.headers) else {
            return self.error_page(Refusal::Login(&LoginError::ForeignForm));
        };
        let form_token = FormToken::new(ProtectedForm::Login(&browser.hash(), &submission.query));
        let username = submission.field("username");
        let template = LoginPage {
            username: &username,
            wrong: true,
            ..self.login_template(&submission.query, request, &form_token)
        };
        page(StatusCode::FORBIDDEN, &template)
    }

    fn login_template<'a>(
        &'a self,
        query: &'a AuthorizationQuery,
        request: &'a AuthorizationRequest,
        form_token: &'a FormToken,
    ) -> LoginPage<'a> {
        LoginPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
            client_name: request.client.metadata.display_name(&request.client.id),
            authorization: query.as_str(),
            form_token: form_token.as_str(),
            username: "",
            wrong: false,
        }
    }

    fn consent_page(&self, query: &AuthorizationQuery, awaiting: &AwaitingConsent) -> Response {
        let form_token = FormToken::new(ProtectedForm::Consent(&awaiting.session().hash, query));
        let template = ConsentPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
            person: awaiting.person().display_name(),
            asked: self.asked(awaiting.request()),
            authorization: query.as_str(),
            form_token: form_token.as_str(),
        };
        page(StatusCode::OK, &template)
    }

    /// What a person has to know before they say yes.
    pub(crate) fn asked<'a>(&'a self, request: &'a AuthorizationRequest) -> Asked<'a> {
        let redirect_uri = request.return_address.redirect_uri();
        let scopes = request.scope.iter().map(|scope| ScopeLine {
            scope: scope.as_str(),
            meaning: self.use_cases.policy.scopes.meaning(scope).unwrap_or_default(),
        });
        Asked {
            client_name: request.client.metadata.display_name(&request.client.id),
            document_host: request.client.document_host(),
            redirect_uri: redirect_uri.as_str(),
            on_this_machine: redirect_uri.is_loopback(),
            only_on_this_machine: request.client.metadata.is_loopback_only(),
            remembered: self.remembered(redirect_uri),
            scopes: scopes.collect(),
        }
    }

    /// For how long this answer will count; `None` when it is asked for every time.
    fn remembered(&self, redirect_uri: &RedirectUri) -> Option<String> {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let lifetime = self.use_cases.policy.consent_lifetime.as_secs();
        // Rounded down, since nobody is to be promised more than they get.
        let (count, unit) = match lifetime {
            0 => return None,
            seconds if seconds < 2 * MINUTE => (seconds, "seconds"),
            seconds if seconds < 2 * HOUR => (seconds / MINUTE, "minutes"),
            seconds if seconds < 2 * DAY => (seconds / HOUR, "hours"),
            seconds => (seconds / DAY, "days"),
        };
        redirect_uri.is_web().then(|| format!("{count} {unit}"))
    }

    pub(crate) fn refused(&self, error: &AuthorizationError) -> Response {
        match error {
            AuthorizationError::Redirect { redirect_to, .. } => see_other(redirect_to),
            AuthorizationError::Interrupted { redirect_uri, redirect_to, .. } => {
                let redirect_uri = redirect_uri.as_str();
                let way_back = Some(WayBack { redirect_uri, redirect_to, may_be_another: false });
                self.error_page_with(Refusal::Authorization(error), way_back)
            }
            error => self.error_page(Refusal::Authorization(error)),
        }
    }

    pub(crate) fn error_page(&self, refusal: Refusal<'_>) -> Response {
        self.error_page_with(refusal, None)
    }

    pub(crate) fn error_page_with(
        &self,
        refusal: Refusal<'_>,
        way_back: Option<WayBack<'_>>,
    ) -> Response {
        let row = refusal.row();
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
        let template = ErrorPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
            reason: &refusal.public_text(),
            way_back,
        };
        let mut response = page(status, &template);
        if let Some(after) = row.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    }
}

/// Always 303, so that no browser sends a password on (OAuth 2.1 §7.5.4).
pub(crate) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            let response = Response::builder().status(StatusCode::SEE_OTHER);
            response
                .header(LOCATION, location)
                .header(http::header::CACHE_CONTROL, "no-store")
                .body(Body::empty())
        }
        Err(_) => StatusCode::BAD_REQUEST.into(),
    }
}

pub(crate) fn add_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
