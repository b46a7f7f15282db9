//! The pages people see, compiled from `templates/`.

use askama::Template;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};
use poem::Response;

/// No script, nothing from elsewhere, no frame. There is no `form-action`: browsers apply it to the
/// redirects that follow a form, and the last of those leads to the client.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Who is asked to log in for whom.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) authorization: &'a str,
    pub(crate) form_token: &'a str,
    pub(crate) username: &'a str,
    pub(crate) wrong: bool,
}

/// What is asked of whom.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    pub(crate) person: &'a str,
    pub(crate) asked: Asked<'a>,
    pub(crate) authorization: &'a str,
    pub(crate) form_token: &'a str,
}

/// What is asked of somebody who will only then log in, at one of the providers.
#[derive(Template)]
#[template(path = "consent_before_login.html")]
pub(crate) struct ConsentBeforeLoginPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    pub(crate) asked: Asked<'a>,
    pub(crate) providers: Vec<ProviderButton<'a>>,
    pub(crate) authorization: &'a str,
    pub(crate) form_token: &'a str,
}

/// A provider to go on to.
pub(crate) struct ProviderButton<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
}

/// Who asks for what.
pub(crate) struct Asked<'a> {
    pub(crate) client_name: &'a str,
    /// Who answers for what a metadata document says.
    pub(crate) document_host: Option<String>,
    pub(crate) redirect_uri: &'a str,
    pub(crate) on_this_machine: bool,
    pub(crate) only_on_this_machine: bool,
    /// For how long a yes will count.
    pub(crate) remembered: Option<String>,
    pub(crate) scopes: Vec<ScopeLine<'a>>,
}

/// A scope and its meaning.
pub(crate) struct ScopeLine<'a> {
    pub(crate) scope: &'a str,
    pub(crate) meaning: &'a str,
}

/// Whether a person really wants to go.
#[derive(Template)]
#[template(path = "log_out.html")]
pub(crate) struct LogOutPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    pub(crate) person: &'a str,
    pub(crate) form_token: &'a str,
}

/// That nobody is logged in.
#[derive(Template)]
#[template(path = "logged_out.html")]
pub(crate) struct LoggedOutPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
}

/// Why a person can't go on.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    pub(crate) reason: &'a str,
    /// Where the person may go back to with it.
    pub(crate) way_back: Option<WayBack<'a>>,
}

/// A client's address that nobody vouches for.
pub(crate) struct WayBack<'a> {
    /// As the client registered it, to be read.
    pub(crate) redirect_uri: &'a str,
    /// With the error, to be followed.
    pub(crate) redirect_to: &'a str,
    /// Whether somebody else may be let in, with another account at the provider.
    pub(crate) may_be_another: bool,
}

/// How to connect each client.
#[derive(Template)]
#[template(path = "landing.html")]
pub(crate) struct LandingPage<'a> {
    pub(crate) base: &'a str,
    pub(crate) server_name: &'a str,
    /// Where people log in; empty where they do it here.
    pub(crate) providers: Vec<&'a str>,
    /// Whether any client can make itself known.
    pub(crate) registers: bool,
    pub(crate) mcp_url: &'a str,
    pub(crate) sse_url: &'a str,
    pub(crate) streamable_http: bool,
    pub(crate) sse: bool,
    pub(crate) dev_token_url: Option<&'a str>,
    pub(crate) dev_username: Option<&'a str>,
    pub(crate) default_password: bool,
}

/// The style sheet of all pages.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// Renders a page that nobody keeps.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        tracing::error!("a page could not be rendered");
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    };
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(CONTENT_SECURITY_POLICY, POLICY)
        .header(CACHE_CONTROL, "no-store")
        .body(html)
}
