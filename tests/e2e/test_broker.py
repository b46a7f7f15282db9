"""People log in at a provider, clients get the server's own tokens: `authorization_server = "local"`."""

import json
import secrets
from pathlib import Path
from typing import Any

import jwt
import pytest

from application import CLIENT_NAME, REDIRECT_URI
from browser import ALICE, Browser, Person, parameters
from builtin_tools import assert_tools_work
from page import Page
from provider_browser import BrowserAtProvider
from provider_process import PROFILES, SUBJECTS, needs_provider
from provider_server import Installation, installation
from seen_secrets import SeenSecrets
from ways import ONE_OF_EACH_PROTOCOL, Way

BOB = Person("bob", "password")
CAROL = Person("carol", "password")

pytestmark = needs_provider


@pytest.fixture(scope="module", params=PROFILES)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Any:
    """A server that tests share which leave it and its provider as they found them."""
    with installation(tmp_path_factory.mktemp(request.param), logs, seen, request.param) as installed:
        yield installed


@pytest.fixture(autouse=True)
def _providers_behave_again(request: pytest.FixtureRequest) -> Any:
    yield
    if "broker" in request.fixturenames:
        request.getfixturevalue("broker").provider.fail()


async def consent_page(broker: Installation, person: Person = ALICE) -> tuple[BrowserAtProvider, Page]:
    application = broker.application(person)
    url = await application.authorization_url(broker.server.url("/mcp"))
    return application.browser, await application.browser.open(url)


def sent_with(browser: BrowserAtProvider, broker: Installation) -> dict[str, str]:
    """What the server gave the browser along to the provider, the last time."""
    sent = [it for it in browser.locations if it.startswith(broker.provider.origin) and "client_id=" in it]
    return parameters(sent[-1])


async def refused_login(broker: Installation, person: Person = ALICE) -> Page:
    """The page on which a login ends that lets nobody in, and reaches no client."""
    browser, page = await consent_page(broker, person)
    ended = await browser.consent_and_log_in(page, CLIENT_NAME)
    assert isinstance(ended, Page), f"back at the client with {sorted(ended)}"
    assert ended.url.startswith(broker.server.url("/callback/"))
    assert ended.status >= 400
    assert not any(location.startswith(f"{REDIRECT_URI}?code=") for location in browser.locations)
    return ended


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_a_new_client_signs_its_person_in_at_the_provider_and_uses_the_tools(
    way: Way, broker: Installation
) -> None:
    application = broker.application()
    async with way.connect(application, broker.server) as client:
        await assert_tools_work(client)

    assert application.sign_ins == 1
    token = str(application.disk.tokens.access_token)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == broker.server.url("")
    assert claims["sub"] == f"{broker.provider.issuer}|{SUBJECTS[broker.provider.profile]}"


async def test_up_01_the_provider_sees_secrets_of_ours_and_nothing_of_the_client(broker: Installation) -> None:
    application = broker.application()
    url = await application.authorization_url(broker.server.url("/mcp"))
    page = await application.browser.open(url)
    await application.browser.consent(page, CLIENT_NAME)

    asked = sent_with(application.browser, broker)
    of_client = parameters(url)
    assert asked["client_id"] == broker.provider.client_id
    assert asked["redirect_uri"] == broker.provider.callbacks[0]
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert "openid" in asked["scope"].split() and "mcp:tools" not in asked["scope"].split()
    for ours in ("state", "nonce", "code_challenge"):
        assert len(asked[ours]) >= 22
        assert asked[ours] != of_client.get(ours)
    # UP-06: Entra ID refuses it, and Auth0 would hand it on.
    assert not {"resource", "audience"} & asked.keys()
    assert of_client["state"] not in json.dumps(asked)


async def test_az_18_nobody_is_sent_to_the_provider_before_they_consented(broker: Installation) -> None:
    before = broker.provider.asked("authorization")
    browser, page = await consent_page(broker)

    assert page.url.startswith(broker.server.url("/"))
    assert not page.asks_for_password
    browser.assert_page_informs(page, CLIENT_NAME)
    answer = await browser.decide(page, "deny")
    assert answer["error"] == "access_denied"
    assert broker.provider.asked("authorization") == before


async def test_az_18_a_person_the_provider_knows_is_still_asked_by_us(broker: Installation) -> None:
    application = broker.application()
    url = broker.server.url("/mcp")
    browser = application.browser
    await browser.authorize(await application.authorization_url(url), CLIENT_NAME)
    # Our session is over, the provider's is not.
    browser.forget("localhost")

    page = await browser.open(await application.authorization_url(url))

    assert page.url.startswith(broker.server.url("/"))
    answer = await browser.consent(page, CLIENT_NAME)
    assert isinstance(answer, dict) and answer["code"]


async def test_az_26_the_login_cookie_is_set_by_the_consent_and_by_nothing_before(broker: Installation) -> None:
    browser, page = await consent_page(broker)
    before = {cookie.name for cookie in browser.cookies_of("localhost")}
    await browser.consent(page, CLIENT_NAME)

    (login,) = [cookie for cookie in browser.cookies_of("localhost") if cookie.name not in before]
    assert login.has_nonstandard_attr("HttpOnly")


async def test_az_27_an_answer_counts_once_and_in_the_browser_it_is_for(
    broker: Installation, seen: SeenSecrets
) -> None:
    browser, page = await consent_page(broker)
    await browser.consent_and_log_in(page, CLIENT_NAME)
    (callback,) = [it for it in browser.locations if it.startswith(broker.provider.callbacks[0])]

    again = await browser.go_to(callback)
    assert isinstance(again, Page) and again.status == 403

    robbed, page = await consent_page(broker)
    await robbed.consent(page, CLIENT_NAME)
    state = sent_with(robbed, broker)["state"]
    elsewhere = await Browser(seen).go_to(f"{broker.provider.callbacks[0]}?code=stolen&state={state}")
    assert isinstance(elsewhere, Page) and elsewhere.status == 403


@pytest.mark.parametrize("state", ["", "state=", f"state={secrets.token_urlsafe(32)}"], ids=["no", "empty", "made_up"])
async def test_az_27_an_answer_to_no_question_is_refused(state: str, broker: Installation, seen: SeenSecrets) -> None:
    before = broker.provider.asked("token")

    page = await Browser(seen).go_to(f"{broker.provider.callbacks[0]}?code=made-up&{state}")

    assert isinstance(page, Page) and page.status in (400, 403)
    assert broker.provider.asked("token") == before


ID_TOKEN_FAULTS = (
    "wrong_nonce",
    "no_nonce",
    "wrong_audience",
    "foreign_azp",
    "wrong_issuer",
    "expired",
    "wrong_key",
    "unsigned",
    "signed_with_public_key",
)


@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
async def test_up_02_an_id_token_that_breaks_a_rule_logs_nobody_in(fault: str, broker: Installation) -> None:
    broker.provider.fail(token=fault)
    page = await refused_login(broker)
    assert "did not confirm" in page.text

    broker.provider.fail()
    async with broker.application().over_streamable_http(broker.server.url("/mcp")) as client:
        await assert_tools_work(client)


@pytest.mark.parametrize("fault", ["wrong_issuer", "no_issuer"])
async def test_up_03_a_mixed_up_answer_is_noticed_before_the_code_is_sent_anywhere(
    fault: str, broker: Installation
) -> None:
    before = broker.provider.asked("token")
    broker.provider.fail(authorization=fault)

    await refused_login(broker)

    assert broker.provider.asked("token") == before


async def test_az_27_an_answer_with_the_state_of_another_login_is_refused(broker: Installation) -> None:
    before = broker.provider.asked("token")
    broker.provider.fail(authorization="wrong_state")

    assert (await refused_login(broker)).status == 403

    assert broker.provider.asked("token") == before


@pytest.mark.parametrize("error", ["access_denied", "server_error"])
async def test_up_05_the_providers_refusal_reaches_the_client_without_the_providers_words(
    error: str, broker: Installation
) -> None:
    broker.provider.fail(authorization=error)
    browser, page = await consent_page(broker)

    answer = await browser.consent(page, CLIENT_NAME)

    assert isinstance(answer, dict)
    assert answer["error"] == error
    assert answer["iss"] == broker.server.url("")
    assert "Said the provider" not in json.dumps(answer)
    assert "Said the provider" in broker.logged()


async def test_up_07_no_token_of_the_provider_is_kept(broker: Installation) -> None:
    async with broker.application().over_streamable_http(broker.server.url("/mcp")) as client:
        await client.list_tools()

    issued = broker.provider.issued()
    assert {"access_token", "id_token"} <= {kind for kind, _ in issued}
    stored = b"".join(file.read_bytes() for file in broker.server.log.parent.glob("store.sqlite*"))
    assert CLIENT_NAME.encode() in stored
    assert not [kind for kind, token in issued if token.encode() in stored]
    assert broker.provider.client_secret.encode() not in stored


async def test_up_08_whoever_logged_in_goes_on_while_the_provider_is_down(broker: Installation) -> None:
    application = broker.application()
    async with application.over_streamable_http(broker.server.url("/mcp")) as client:
        await assert_tools_work(client)
        broker.provider.pause()
        try:
            application.access_token_expires()
            await assert_tools_work(client)
        finally:
            broker.provider.resume()
    assert application.sign_ins == 1


ALICE_ONLY = {
    "allowed_emails": (["ALICE@example.com"], (CAROL, "carol@elsewhere.example")),
    "allowed_domains": (["example.com"], (CAROL, "carol@elsewhere.example")),
    "allowed_domains_and_an_unverified_address": (["example.com"], (BOB, "not verified")),
    "allowed_groups": (["mcp-users"], (BOB, "groups")),
    "allowed_tenants": (["tenant-one"], (CAROL, "tenant")),
    "allowed_organizations": (["org_example"], (CAROL, "organi")),
}


@pytest.mark.parametrize("case", ALICE_ONLY)
async def test_az_33_who_is_on_no_list_is_told_why_and_the_client_only_that_it_is_denied(
    case: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    allowed, (refused, reason) = ALICE_ONLY[case]
    keys = {case.partition("_and_")[0]: allowed, "tenant_claim": "tid"}
    with installation(tmp_path, logs, seen, "keycloak", keys=keys) as broker:
        async with broker.application().over_streamable_http(broker.server.url("/mcp")) as client:
            await assert_tools_work(client)

        page = await refused_login(broker, refused)

        assert page.status == 403
        assert reason in page.text
        (back,) = [link for link in page.links if link.startswith(REDIRECT_URI)]
        assert parameters(back)["error"] == "access_denied"
        assert reason not in back


async def test_claims_the_operator_selects_travel_into_our_token(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "auth0", keys={"claims": ["org_id"]}) as broker:
        application = broker.application()
        async with application.over_streamable_http(broker.server.url("/mcp")) as client:
            await client.list_tools()

        claims = jwt.decode(str(application.disk.tokens.access_token), options={"verify_signature": False})
        assert (claims["email"], claims["org_id"]) == ("alice@example.com", "org_example")
        assert not {"tid", "groups", "nonce"} & claims.keys()


async def test_jv_19_two_providers_have_two_buttons_and_no_person_in_common(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "clerk", "auth0") as broker:
        subjects = set()
        for name in broker.providers:
            application = broker.application(at=name)
            page = await application.browser.open(await application.authorization_url(broker.server.url("/mcp")))
            assert {value for form in page.forms for key, value in form.buttons if key == "provider"} == {
                "clerk",
                "auth0",
            }
            async with application.over_streamable_http(broker.server.url("/mcp")) as client:
                await assert_tools_work(client)
            claims = jwt.decode(str(application.disk.tokens.access_token), options={"verify_signature": False})
            subjects.add(claims["sub"])
        assert len(subjects) == 2


async def test_up_03_an_answer_at_the_address_of_another_provider_is_refused(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "clerk", "keycloak") as broker:
        application = broker.application(at="clerk")
        page = await application.browser.open(await application.authorization_url(broker.server.url("/mcp")))
        await application.browser.consent(page, CLIENT_NAME)
        sent = next(it for it in application.browser.locations if it.startswith(broker.providers["clerk"].origin))
        state = parameters(sent)["state"]

        wrong = broker.server.url(f"/callback/keycloak?code=of-clerk&state={state}")
        refused = await application.browser.go_to(wrong)

        assert isinstance(refused, Page) and refused.status == 403
        assert [provider.asked("token") for provider in broker.providers.values()] == [0, 0]


@pytest.mark.parametrize("chosen", PROFILES)
async def test_switching_providers_is_one_setting(
    chosen: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    # All are described; the setting names one, and the others are not even running.
    with installation(tmp_path, logs, seen, *PROFILES, choose=chosen) as broker:
        async with broker.application(at=chosen).over_streamable_http(broker.server.url("/mcp")) as client:
            await assert_tools_work(client)
        assert broker.providers[chosen].asked("token") == 1
