"""The provider is down, slow, garbled, or changes: whoever can be verified is served, and it recovers alone."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from application import CLIENT_NAME
from browser import Callback
from builtin_tools import assert_tools_work
from page import Page
from provider_process import PROFILES, Provider, needs_provider
from provider_server import Installation, eventually, installation
from seen_secrets import SeenSecrets

pytestmark = needs_provider

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


@pytest.fixture(scope="module")
def broken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Any:
    """By fault, servers that started while their providers were out of order: they recover all at once."""
    mode, profile = request.param
    with ExitStack() as stack:

        def start(fault: str) -> Installation:
            def begin(installed: Installation) -> None:
                DOWN[fault](installed.provider)

            directory = tmp_path_factory.mktemp(fault)
            return stack.enter_context(installation(directory, logs, seen, profile, mode=mode, before_start=begin))

        yield {fault: start(fault) for fault in DOWN}


@pytest.fixture(scope="module")
def mended(broken: dict[str, Installation]) -> dict[str, Installation]:
    for fault, installed in broken.items():
        mend(installed.provider, fault)
    return broken


def starting(mode: str, *profiles: str) -> pytest.MarkDecorator:
    cases = [(mode, profile) for profile in profiles]
    return pytest.mark.parametrize("broken", cases, indirect=True, ids=profiles)


@pytest.mark.parametrize("fault", DOWN)
@starting("provider", *PROFILES)
async def test_jv_13_a_provider_out_of_order_at_the_start_is_503(fault: str, broken: dict[str, Installation]) -> None:
    verifier = broken[fault]

    refusal = await verifier.call(verifier.provider.good_token())

    assert refusal.status_code == 503, refusal.text
    assert int(refusal.headers["retry-after"]) > 0
    assert verifier.provider.issuer in verifier.warned()
    assert verifier.provider.asked("keys_elsewhere") == 0


@pytest.mark.parametrize("fault", DOWN)
@starting("provider", *PROFILES)
async def test_jv_13_the_same_server_verifies_when_its_provider_is_in_order_again(
    fault: str, broken: dict[str, Installation], mended: dict[str, Installation]
) -> None:
    token = mended[fault].provider.good_token()

    async def accepted() -> bool:
        return (await mended[fault].call(token)).status_code == 200

    await eventually(accepted, "verified a token of the provider that is in order again")


@pytest.mark.parametrize("fault", DOWN)
@starting("local", "clerk")
async def test_up_04_nobody_logs_in_at_a_provider_out_of_order(fault: str, broken: dict[str, Installation]) -> None:
    broker = broken[fault]

    ended = await logged_in(broker)

    assert isinstance(ended, Page)
    assert ended.status in (403, 503)
    if ended.status == 503:
        assert int(ended.headers["retry-after"]) > 0
    assert broker.provider.issuer in broker.warned()


@pytest.mark.parametrize("fault", DOWN)
@starting("local", "clerk")
async def test_up_04_people_log_in_when_the_provider_is_in_order_again(
    fault: str, broken: dict[str, Installation], mended: dict[str, Installation]
) -> None:
    async def back_with_a_code() -> bool:
        answer = await logged_in(mended[fault])
        return isinstance(answer, dict) and "code" in answer

    await eventually(back_with_a_code, "logged in at the provider that is in order again")


async def logged_in(broker: Installation) -> Page | Callback:
    """Where a login of Alice ends."""
    application = broker.application()
    page = await application.browser.open(await application.authorization_url(broker.server.url("/mcp")))
    return await application.browser.consent_and_log_in(page, CLIENT_NAME)


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


@pytest.fixture(scope="module")
async def rotated(
    tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> AsyncIterator[dict[str, tuple[Installation, str]]]:
    """By profile, a server whose provider signs with a new key since its last call, and that call's token."""
    with ExitStack() as stack:
        found = {}
        for profile in PROFILES:
            context = installation(tmp_path_factory.mktemp(profile), logs, seen, profile, mode="provider")
            verifier = stack.enter_context(context)
            before = verifier.provider.good_token()
            assert (await verifier.call(before)).status_code == 200
            verifier.provider.rotate_keys(keep=True)
            await verifier.call(verifier.provider.good_token())
            found[profile] = (verifier, before)
        yield found


@pytest.mark.parametrize("profile", PROFILES)
async def test_jv_14_rotated_keys_are_found_by_themselves(
    profile: str, rotated: dict[str, tuple[Installation, str]]
) -> None:
    verifier, before = rotated[profile]

    async def accepted() -> bool:
        return (await verifier.call(verifier.provider.good_token())).status_code == 200

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
        ended = await logged_in(broker)

        assert isinstance(ended, Page)
        assert ended.status == 503
        assert int(ended.headers["retry-after"]) > 0
        broker.provider.fail()
