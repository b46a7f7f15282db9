"""The provider is down, slow, garbled, or changes: whoever can be verified is served, and it recovers alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from application import CLIENT_NAME
from builtin_tools import assert_tools_work
from page import Page
from provider_process import PROFILES, Provider, needs_provider
from provider_server import Installation, eventually, installation
from seen_secrets import SeenSecrets

pytestmark = needs_provider

Install = Callable[..., Any]

DOWN = {
    "refused": Provider.pause,
    "error": lambda provider: provider.fail(discovery="error", jwks="error"),
    "garbage": lambda provider: provider.fail(discovery="garbage", jwks="garbage"),
    "stalled": lambda provider: provider.fail(discovery="stalled", jwks="stalled"),
    "wrong_issuer": lambda provider: provider.fail(discovery="wrong_issuer"),
    "other_slash": lambda provider: provider.fail(discovery="other_slash"),
    "huge_keys": lambda provider: provider.fail(jwks="huge"),
    "redirected_keys": lambda provider: provider.fail(jwks="redirect"),
}


def mend(provider: Provider, fault: str) -> None:
    if fault == "refused":
        provider.resume()
    provider.fail()


@pytest.fixture
def broken(request: pytest.FixtureRequest, tmp_path: Path, logs: list[Path], seen: SeenSecrets) -> Any:
    """A server that starts while its provider is out of order, in the mode and by the fault of the test."""
    mode, profile, fault = request.param
    context = installation(tmp_path, logs, seen, profile, mode=mode, before_start=lambda it: DOWN[fault](it.provider))
    with context as installed:
        yield installed, fault


def starting(mode: str, *profiles: str) -> pytest.MarkDecorator:
    cases = [(mode, profile, fault) for profile in profiles for fault in DOWN]
    return pytest.mark.parametrize("broken", cases, indirect=True, ids=["-".join(case[1:]) for case in cases])


@starting("provider", "clerk", "auth0", "keycloak")
async def test_jv_13_a_provider_out_of_order_at_the_start_is_503_and_then_recovers(
    broken: tuple[Installation, str],
) -> None:
    verifier, fault = broken
    token = verifier.provider.good_token()

    refusal = await verifier.call(token)

    assert refusal.status_code == 503, refusal.text
    assert int(refusal.headers["retry-after"]) > 0
    assert verifier.provider.issuer in verifier.logged()
    assert verifier.provider.asked("keys_elsewhere") == 0

    mend(verifier.provider, fault)

    async def accepted() -> bool:
        return (await verifier.call(token)).status_code == 200

    await eventually(accepted, "verified a token of the provider that is in order again")


@starting("local", "clerk")
async def test_up_04_nobody_logs_in_at_a_provider_out_of_order_and_then_they_do(
    broken: tuple[Installation, str],
) -> None:
    broker, fault = broken
    application = broker.application()
    page = await application.browser.open(await application.authorization_url(broker.server.url("/mcp")))
    ended = await application.browser.consent_and_log_in(page, CLIENT_NAME)

    assert isinstance(ended, Page)
    assert ended.status in (403, 503)
    if ended.status == 503:
        assert int(ended.headers["retry-after"]) > 0
    assert broker.provider.issuer in broker.logged()

    mend(broker.provider, fault)

    async def logged_in() -> bool:
        again = broker.application()
        asked = await again.authorization_url(broker.server.url("/mcp"))
        answer = await again.browser.consent_and_log_in(await again.browser.open(asked), CLIENT_NAME)
        return isinstance(answer, dict) and "code" in answer

    await eventually(logged_in, "logged in at the provider that is in order again")


@pytest.mark.parametrize("fault", DOWN)
async def test_jv_15_known_keys_go_on_while_the_provider_is_out_of_order(
    fault: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "keycloak", mode="provider") as verifier:
        provider = verifier.provider
        assert (await verifier.call(provider.good_token())).status_code == 200
        DOWN[fault](provider)

        # An unknown key makes the server ask, and fail.
        unknown = await verifier.call(provider.mint(provider.claims(), {"kid": "unknown"}, key="stranger"))
        assert unknown.status_code in (401, 503)
        for _ in range(5):
            assert (await verifier.call(provider.good_token())).status_code == 200
        mend(provider, fault)


@pytest.mark.parametrize("profile", PROFILES)
async def test_jv_14_rotated_keys_are_found_by_themselves(
    profile: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, profile, mode="provider") as verifier:
        provider = verifier.provider
        before = provider.good_token()
        assert (await verifier.call(before)).status_code == 200
        provider.rotate_keys(keep=True)

        async def accepted() -> bool:
            return (await verifier.call(provider.good_token())).status_code == 200

        await eventually(accepted, "verified a token of the new key")
        assert (await verifier.call(before)).status_code == 200


async def test_a_login_after_the_keys_rotated_succeeds(tmp_path: Path, logs: list[Path], seen: SeenSecrets) -> None:
    with installation(tmp_path, logs, seen, "auth0") as broker:
        url = broker.server.url("/mcp")
        async with broker.application().over_streamable_http(url) as client:
            await assert_tools_work(client)
        broker.provider.rotate_keys(keep=False)

        async with broker.application().over_streamable_http(url) as client:
            await assert_tools_work(client)


@pytest.mark.parametrize("fault", ["error", "garbage", "stalled"])
async def test_a_token_endpoint_out_of_order_logs_nobody_in_and_says_to_try_again(
    fault: str, tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "clerk") as broker:
        broker.provider.fail(token=fault)
        application = broker.application()
        page = await application.browser.open(await application.authorization_url(broker.server.url("/mcp")))
        ended = await application.browser.consent_and_log_in(page, CLIENT_NAME)

        assert isinstance(ended, Page)
        assert ended.status == 503
        assert int(ended.headers["retry-after"]) > 0
        broker.provider.fail()
