//! The three cookies of the login pages.

use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use mcp_oauth_core::domain::provider_login::LONGEST_LOGIN;
use mcp_oauth_core::domain::secret::{BrowserToken, LoginCookie, SessionToken};

/// Names and attributes of the cookies, which depend on the scheme of the base URL.
///
/// With https they are `__Host-` cookies, which no other host can set. Plain http is for loopback
/// only, where not every browser takes `Secure` cookies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrowserCookies {
    https: bool,
}

impl BrowserCookies {
    pub(crate) fn new(https: bool) -> Self {
        Self { https }
    }

    /// The login session of a request.
    pub(crate) fn session(self, headers: &HeaderMap) -> Option<SessionToken> {
        read(headers, self.session_name()).map(|value| SessionToken::presented(&value))
    }

    /// The browser of a request.
    pub(crate) fn browser(self, headers: &HeaderMap) -> Option<BrowserToken> {
        read(headers, self.browser_name()).map(|value| BrowserToken::presented(&value))
    }

    /// The header that starts a login session.
    pub(crate) fn set_session(self, token: &SessionToken) -> Option<HeaderValue> {
        self.set(self.session_name(), token.expose())
    }

    /// The header that takes the login session from a browser.
    pub(crate) fn end_session(self) -> Option<HeaderValue> {
        let mut cookie = self.cookie(self.session_name(), "");
        cookie.make_removal();
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    /// The header that marks a browser.
    pub(crate) fn set_browser(self, token: &BrowserToken) -> Option<HeaderValue> {
        self.set(self.browser_name(), token.expose())
    }

    /// The login at a provider that the browser of a request is about.
    pub(crate) fn login(self, headers: &HeaderMap) -> Option<LoginCookie> {
        read(headers, self.login_name()).map(|value| LoginCookie::presented(&value))
    }

    /// The header by which a browser is known when it comes back from a provider. It lives as long
    /// as the youngest login under way.
    pub(crate) fn set_login(self, token: &LoginCookie) -> Option<HeaderValue> {
        let mut cookie = self.cookie(self.login_name(), token.expose());
        cookie.set_max_age(Duration::try_from(LONGEST_LOGIN).ok());
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    fn session_name(self) -> &'static str {
        if self.https { "__Host-mcp-session" } else { "mcp-session" }
    }

    fn browser_name(self) -> &'static str {
        if self.https { "__Host-mcp-browser" } else { "mcp-browser" }
    }

    fn login_name(self) -> &'static str {
        if self.https { "__Host-mcp-login" } else { "mcp-login" }
    }

    /// It ends with the browser's session; how long a login counts is decided here, not there.
    fn set(self, name: &'static str, value: &str) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.cookie(name, value).to_string()).ok()
    }

    fn cookie(self, name: &'static str, value: &str) -> Cookie<'static> {
        Cookie::build((name, value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.https)
            .build()
    }
}

fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}
