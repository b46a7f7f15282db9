"""The login page lets the right person in and nobody else."""

import secrets

from application import CLIENT_NAME, Application
from browser import ALICE, Person
from server import Server


async def test_a_wrong_password_brings_the_login_page_again_and_no_code(
    server: Server, application: Application
) -> None:
    page = await application.browser.open(await application.authorization_url(server.url("/mcp")))

    page = await application.browser.sign_in(page, Person(ALICE.username, secrets.token_urlsafe(32)))

    assert page.status == 403
    assert page.alert
    assert page.asks_for_password
    assert not page.asks_for_decision

    page = await application.browser.sign_in(page, ALICE)
    application.browser.assert_consent_is_informed(page, CLIENT_NAME)


async def test_an_unknown_name_is_refused_in_the_same_words(server: Server, application: Application) -> None:
    page = await application.browser.open(await application.authorization_url(server.url("/mcp")))
    known = await application.browser.sign_in(page, Person(ALICE.username, secrets.token_urlsafe(32)))
    unknown = await application.browser.sign_in(known, Person("mallory", secrets.token_urlsafe(32)))

    assert (unknown.status, unknown.alert) == (known.status, known.alert)
