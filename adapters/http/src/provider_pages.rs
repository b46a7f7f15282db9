//! What a person sees of a login at their provider: the consent before it, and what became of it.

use std::sync::Arc;

use http::StatusCode;
use mcp_oauth_core::domain::authorization::AuthorizationRequest;
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::service::provider_login::{
    LoginFailure, Onward, ProviderChoice, ProviderLogin, ProviderLoginError, ProviderReturn,
};
use mcp_oauth_core::service::refusal::Refusal;
use poem::endpoint::{BoxEndpoint, make};
use poem::{EndpointExt, Request, Response};

use crate::page_templates::{ConsentBeforeLoginPage, ProviderButton, WayBack, page};
use crate::pages::{Pages, Submission, Visit, add_cookie, see_other};

impl Pages {
    pub(crate) fn consent_before_login_page(
        &self,
        visit: &Visit,
        request: &AuthorizationRequest,
    ) -> Response {
        let (browser, cookie) = self.browser(visit);
        let form = ProtectedForm::ConsentBeforeLogin(&browser.hash(), &visit.query);
        let form_token = FormToken::new(form);
        let login = self.use_cases.provider_login.iter();
        let choices = login.flat_map(|login| login.choices());
        let template = ConsentBeforeLoginPage {
            base: self.use_cases.address.base_path(),
            server_name: &self.use_cases.policy.server_name,
            asked: self.asked(request),
            providers: choices
                .map(|(name, title)| ProviderButton { name: name.as_str(), title })
                .collect(),
            authorization: visit.query.as_str(),
            form_token: form_token.as_str(),
        };
        let mut response = page(StatusCode::OK, &template);
        add_cookie(&mut response, cookie);
        response
    }

    /// The use case of a consent form that was shown before the login.
    pub(crate) fn chooses_provider(&self, submission: &Submission) -> Option<&ProviderLogin> {
        let before_login = submission.field("before_login") == "yes";
        self.use_cases.provider_login.as_deref().filter(|_| before_login)
    }

    pub(crate) async fn choose_provider(
        &self,
        login: &ProviderLogin,
        submission: &Submission,
    ) -> Response {
        // A form with neither is nobody's decision: no provider has an empty name.
        let chosen = submission.field("decision").is_empty();
        let choice = ProviderChoice {
            query: submission.query.clone(),
            browser: self.cookies.browser(&submission.headers),
            cookie: self.cookies.login(&submission.headers),
            form_token: submission.field("form_token"),
            provider: chosen.then(|| submission.field("provider")),
        };
        match login.begin(choice).await {
            Ok(Onward::ToClient(redirect_to)) => see_other(&redirect_to),
            Ok(Onward::ToProvider { address, cookie }) => {
                let mut response = see_other(&address);
                add_cookie(&mut response, self.cookies.set_login(&cookie));
                response
            }
            Err(error) => self.no_login(&error),
        }
    }

    /// Where providers send people back to.
    pub(crate) fn callback(self: &Arc<Self>, login: &Arc<ProviderLogin>) -> BoxEndpoint<'static> {
        let (pages, login) = (Arc::clone(self), Arc::clone(login));
        let handler = move |request: Request| {
            let (pages, login) = (Arc::clone(&pages), Arc::clone(&login));
            let back = ProviderReturn {
                provider: request.raw_path_param("provider").unwrap_or_default().to_owned(),
                query: request.uri().query().unwrap_or_default().to_owned(),
                cookie: pages.cookies.login(request.headers()),
            };
            async move { pages.come_back(&login, back).await }
        };
        make(handler).boxed()
    }

    async fn come_back(&self, login: &ProviderLogin, back: ProviderReturn) -> Response {
        match login.finish(back).await {
            Ok(logged_in) => {
                let mut response = see_other(&logged_in.redirect_to);
                add_cookie(&mut response, self.cookies.set_session(&logged_in.session));
                response
            }
            Err(error) => self.no_login(&error),
        }
    }

    fn no_login(&self, error: &ProviderLoginError) -> Response {
        match error {
            ProviderLoginError::Authorization(error) => self.refused(error),
            ProviderLoginError::Redirect(failed) => see_other(&failed.redirect_to),
            ProviderLoginError::Interrupted(failed) => {
                let redirect_uri = failed.redirect_uri.as_str();
                let way_back = WayBack {
                    redirect_uri,
                    redirect_to: &failed.redirect_to,
                    may_be_another: matches!(failed.reason, LoginFailure::NotAdmitted(_)),
                };
                self.error_page_with(Refusal::ProviderLogin(error), Some(way_back))
            }
            error => self.error_page(Refusal::ProviderLogin(error)),
        }
    }
}
