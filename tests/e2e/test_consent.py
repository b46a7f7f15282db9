"""Nothing reaches a client before a person has decided about it."""

from application import CLIENT_NAME, Application
from http_client import observed_client
from server import Server


async def test_az_10_a_denial_returns_access_denied_with_state_and_issuer(
    server: Server, application: Application
) -> None:
    asked = await application.authorization_url(server.url("/mcp"))

    answer = await application.browser.authorize(asked, CLIENT_NAME, decision="deny")

    async with observed_client(application.seen) as http:
        metadata = (await http.get(server.url("/.well-known/oauth-authorization-server"))).json()
    assert answer["error"] == "access_denied"
    assert answer["iss"] == metadata["issuer"]
    assert f"state={answer['state']}" in asked
    assert "code" not in answer


async def test_az_18_consent_is_asked_again_though_the_browser_is_signed_in(
    server: Server, application: Application
) -> None:
    url = server.url("/mcp")
    await application.browser.authorize(await application.authorization_url(url), CLIENT_NAME)

    page = await application.browser.open(await application.authorization_url(url))

    assert not page.asks_for_password
    application.browser.assert_consent_is_informed(page, CLIENT_NAME)


async def test_az_21_opening_the_link_twice_leaves_the_first_page_usable(
    server: Server, application: Application
) -> None:
    asked = await application.authorization_url(server.url("/mcp"))
    first = await application.browser.open(asked)
    await application.browser.open(asked)

    answer = await application.browser.finish(first, CLIENT_NAME)

    assert answer["code"]
