"""The browser's part of a sign-in: pages, forms, cookies and redirects, until the client is reached."""

from dataclasses import dataclass
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from http_client import observed_client
from page import Form, Page
from seen_secrets import SeenSecrets

# More than any sign-in needs; a loop must end in a message, not in a hang.
MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Person:
    username: str
    password: str


ALICE = Person("alice", "password")

Callback = dict[str, str]
"""The query parameters with which the client's redirect address was reached."""


class Browser:
    """One browser profile, one tab: its cookies outlive a sign-in. `locations` is where it was sent."""

    def __init__(self, seen: SeenSecrets) -> None:
        self._seen = seen
        # Browsers count loopback as secure, so they return `Secure` cookies there over plain HTTP.
        self._cookies = httpx2.Cookies(
            CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        )
        self._asked: dict[str, str] = {}
        self.locations: list[str] = []

    async def authorize(self, authorization_url: str, client_name: str, decision: str = "approve") -> Callback:
        """Everything a person does between the client's link and the return to the client."""
        return await self.finish(await self.open(authorization_url), client_name, decision)

    async def finish(self, page: Page, client_name: str, decision: str = "approve") -> Callback:
        if page.asks_for_password:
            page = await self.sign_in(page, ALICE)
        self.assert_consent_is_informed(page, client_name)
        return await self.decide(page, decision)

    async def open(self, authorization_url: str) -> Page:
        return still_here(await self.visit(authorization_url))

    async def visit(self, authorization_url: str) -> Page | Callback:
        self._asked = parameters(authorization_url)
        return await self.go_to(authorization_url)

    async def go_to(self, url: str) -> Page | Callback:
        """What is behind an address that belongs to the authorization request under way, or to none."""
        return await self._follow(httpx2.Request("GET", url))

    def cookies_of(self, server: str) -> list[Cookie]:
        return [cookie for cookie in self._cookies.jar if cookie.domain.removesuffix(".local") == server]

    def forget(self, server: str) -> None:
        for cookie in self.cookies_of(server):
            self._cookies.jar.clear(cookie.domain, cookie.path, cookie.name)

    async def sign_in(self, page: Page, person: Person) -> Page:
        return still_here(await self.log_in(page, person))

    async def log_in(self, page: Page, person: Person) -> Page | Callback:
        form = page.login_form()
        assert "username" in form.fields, f"the login form asks for {sorted(form.fields)}"
        return await self._submit(form, {"username": person.username, "password": person.password})

    def assert_consent_is_informed(self, page: Page, client_name: str) -> None:
        assert page.asks_for_decision, f"no consent page; HTTP {page.status} says: {page.text}"
        self.assert_page_informs(page, client_name)

    def assert_page_informs(self, page: Page, client_name: str) -> None:
        """The person can see who asks, where the answer goes and what is asked (checklist AZ-19)."""
        for named in (client_name, self._asked["redirect_uri"], *self._asked["scope"].split()):
            assert named in page.text, f"the consent page does not name {named}: {page.text}"

    async def decide(self, page: Page, decision: str) -> Callback:
        return back_at_client(await self.press(page, "decision", decision))

    async def press(self, page: Page, name: str, value: str) -> Page | Callback:
        return await self._submit(page.form_with_button(name, value), {name: value})

    async def _submit(self, form: Form, filled_in: dict[str, str]) -> Page | Callback:
        assert form.method == "POST", "a GET form would put what was typed into the address bar and the log"
        return await self._follow(httpx2.Request("POST", form.action, data={**form.fields, **filled_in}))

    async def _follow(self, request: httpx2.Request) -> Page | Callback:
        async with observed_client(self._seen) as http:
            for _ in range(MOST_REDIRECTS):
                self._cookies.set_cookie_header(request)
                response = await http.send(request)
                self._cookies.extract_cookies(response)
                if not response.has_redirect_location:
                    return Page(str(request.url), response.status_code, response.text, response.headers)
                # OAuth 2.1 §7.5.4: any other status may carry the password along.
                assert request.method == "GET" or response.status_code == 303
                location = urljoin(str(request.url), response.headers["location"])
                self.locations.append(location)
                if without_query(location) == self._asked.get("redirect_uri"):
                    return parameters(location)
                request = httpx2.Request("GET", location)
        raise AssertionError(f"more than {MOST_REDIRECTS} redirects, the last to {without_query(location)}")


def still_here(answer: Page | Callback) -> Page:
    assert isinstance(answer, Page), f"sent to the client before any decision: {sorted(answer)}"
    return answer


def back_at_client(answer: Page | Callback) -> Callback:
    assert isinstance(answer, dict), f"no return to the client; HTTP {answer.status} says: {answer.text}"
    return answer


def parameters(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), f"a parameter is given twice: {[name for name, _ in pairs]}"
    return dict(pairs)


def without_query(url: str) -> str:
    return url.partition("?")[0]
