"""`doctor` beside a running server and its provider: all ticks when all is right, and every fault by its name."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doctor import Diagnosis, assert_keeps_secrets, consult, other_settings, who_is_let_in
from provider_process import PROFILES, needs_provider
from provider_server import Installation, installation
from seen_secrets import SeenSecrets
from server import free_port

pytestmark = needs_provider

MODES = ("local", "provider")
LONG = 3_600
FOREIGN = "https://elsewhere.example/mcp"


@pytest.fixture(scope="module", params=[(mode, profile) for mode in MODES for profile in PROFILES], ids="-".join)
def patient(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: list[Path], seen: SeenSecrets
) -> Any:
    """A server that tests share which leave it and its provider as they found them."""
    mode, profile = request.param
    keys = who_is_let_in(mode)
    with installation(tmp_path_factory.mktemp(profile), logs, seen, profile, mode=mode, keys=keys) as installed:
        yield installed


@pytest.fixture(autouse=True)
def _providers_behave_again(patient: Installation) -> Any:
    yield
    patient.provider.change(clock_ahead=0, faults={})


def only(*cases: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("patient", cases, indirect=True, ids=map("-".join, cases))


in_each_mode = only(("local", "keycloak"), ("provider", "keycloak"))
where_the_provider_issues = only(*[("provider", profile) for profile in PROFILES])


def assert_finds_only(diagnosis: Diagnosis, **expected: str) -> None:
    assert diagnosis.unwell() == {step.replace("_", " "): outcome for step, outcome in expected.items()}


def test_a_server_that_is_right_passes_every_step(patient: Installation) -> None:
    done = patient.server.run("doctor")

    assert done.returncode == 0, done.stdout
    *found, total = done.stdout.splitlines()
    assert total == "0 failures, 0 warnings."
    assert [line[0] for line in found] == ["✓"] * (len(found) - 1) + ["-"], done.stdout
    name = patient.provider.profile
    last = "redirect address" if patient.mode == "local" else "client registration"
    for step in ("discovery document", "issuer spelling", "keys", "PKCE", last, "clock"):
        assert sum(line.startswith(f"✓ {name}, {step}: ") for line in found) == 1, f"{step}: {done.stdout}"
    assert found[-1].startswith("- sample token: ")
    assert not done.stderr
    assert_keeps_secrets(done.stdout, patient, None)


def test_the_json_has_the_same_steps_as_the_text(patient: Installation) -> None:
    found = consult(patient).findings

    prefix = {"fine": "✓", "skipped": "-"}
    lines = [
        f"{prefix[it['outcome']]} {it['provider'] + ', ' if it['provider'] else ''}{it['step']}: {it['message']}"
        for it in found
    ]
    assert lines == patient.server.run("doctor").stdout.splitlines()[:-1]


@in_each_mode
def test_up_04_a_provider_that_is_down_is_told_with_the_addresses_that_were_tried(patient: Installation) -> None:
    patient.provider.pause()
    try:
        diagnosis = consult(patient)
    finally:
        patient.provider.resume()

    assert_finds_only(diagnosis, discovery_document="failure")
    text = diagnosis.text("discovery document")
    assert f"{patient.provider.issuer}/.well-known/openid-configuration" in text
    assert "Connection refused" in text
    assert "identity.keycloak.issuer" in text


@pytest.mark.parametrize("fault", ["error", "garbage"])
@in_each_mode
def test_up_04_a_discovery_document_that_is_none_is_told(fault: str, patient: Installation) -> None:
    patient.provider.fail(discovery=fault)

    diagnosis = consult(patient)

    assert_finds_only(diagnosis, discovery_document="failure")
    assert {"error": "500", "garbage": "not a JSON object"}[fault] in diagnosis.text("discovery document")


@in_each_mode
def test_up_04_a_discovery_document_of_somebody_else_is_told_with_both_names(patient: Installation) -> None:
    patient.provider.fail(discovery="wrong_issuer")

    diagnosis = consult(patient)

    assert_finds_only(diagnosis, issuer_spelling="failure")
    text = diagnosis.text("issuer spelling")
    assert f'expected "{patient.provider.issuer}", received "https://another-issuer.example"' in text


def test_up_04_an_issuer_with_the_slash_of_another_kind_is_told_with_the_right_spelling(
    patient: Installation, tmp_path: Path
) -> None:
    right = patient.provider.issuer
    wrong = right.removesuffix("/") if right.endswith("/") else f"{right}/"

    diagnosis = consult(patient, other_settings(patient, tmp_path, issuer=wrong))

    assert diagnosis.failed() == {"configuration"}
    text = diagnosis.text("configuration")
    assert f"identity.{patient.provider.profile}.issuer" in text
    assert str(tmp_path / "server.toml") in text
    assert f"Write {right}." in text


def test_up_04_an_issuer_with_the_wrong_slash_is_found_where_the_kind_does_not_tell(
    patient: Installation, tmp_path: Path
) -> None:
    right = patient.provider.issuer
    wrong = right.removesuffix("/") if right.endswith("/") else f"{right}/"

    diagnosis = consult(patient, other_settings(patient, tmp_path, kind="oidc", issuer=wrong))

    assert diagnosis.outcome("issuer spelling") == "failure"
    assert f'Set identity.{patient.provider.profile}.issuer = "{right}".' in diagnosis.text("issuer spelling")


KEY_FAULTS = {
    "error": "answers 500",
    "garbage": "is not a JSON object",
    "huge": "is longer than",
    "redirect": "answers 302",
}


@pytest.mark.parametrize("fault", KEY_FAULTS)
@in_each_mode
def test_jv_15_keys_that_can_not_be_read_are_told_with_their_address(fault: str, patient: Installation) -> None:
    patient.provider.fail(jwks=fault)

    diagnosis = consult(patient)

    assert_finds_only(diagnosis, keys="failure")
    text = diagnosis.text("keys")
    assert f"{patient.provider.issuer}/protocol/openid-connect/certs" in text
    assert KEY_FAULTS[fault] in text
    assert patient.provider.asked("keys_elsewhere") == 0


@only(("local", "keycloak"))
def test_jv_15_keys_that_never_come_are_not_waited_for(patient: Installation) -> None:
    patient.provider.fail(jwks="stalled")

    diagnosis = consult(patient)

    assert_finds_only(diagnosis, keys="failure")
    assert "timed out" in diagnosis.text("keys")


@in_each_mode
def test_a_provider_that_does_not_say_it_knows_pkce_is_a_warning(patient: Installation) -> None:
    patient.provider.fail(discovery="no_pkce")

    assert_finds_only(consult(patient), PKCE="warning")


@only(*[("local", profile) for profile in PROFILES])
def test_up_01_a_redirect_address_that_is_not_registered_is_told_with_the_place_to_register_it(
    patient: Installation, tmp_path: Path
) -> None:
    elsewhere = other_settings(patient, tmp_path)
    elsewhere.port = free_port()

    diagnosis = consult(patient, elsewhere)

    # Nobody is on that port: the server may be started later.
    assert diagnosis.unwell() == {"base URL": "warning", "redirect address": "failure"}
    callback = elsewhere.url(f"/callback/{patient.provider.profile}")
    place = {"clerk": "Clerk Dashboard", "auth0": "Auth0 Dashboard", "keycloak": "Valid redirect URIs"}
    assert f"Add {callback} at " in diagnosis.text("redirect address")
    assert place[patient.provider.profile] in diagnosis.text("redirect address")


@only(("local", "clerk"))
def test_up_01_a_client_that_the_provider_does_not_know_is_told(patient: Installation, tmp_path: Path) -> None:
    diagnosis = consult(patient, other_settings(patient, tmp_path, client_id="nobody"))

    assert_finds_only(diagnosis, redirect_address="failure")
    assert "identity.clerk.client_id" in diagnosis.text("redirect address")


@pytest.mark.parametrize("ahead", [20, -20, LONG, -LONG])
@in_each_mode
def test_jv_09_a_clock_that_differs_is_told(ahead: int, patient: Installation) -> None:
    patient.provider.change(clock_ahead=ahead)

    diagnosis = consult(patient)

    # 30 seconds are tolerated unless the settings say otherwise.
    assert_finds_only(diagnosis, clock="warning" if abs(ahead) < 30 else "failure")
    assert ("ahead of" if ahead > 0 else "behind") in diagnosis.text("clock")


@where_the_provider_issues
def test_a_token_that_is_right_opens_the_server(patient: Installation) -> None:
    diagnosis = consult(patient, token=patient.provider.good_token())

    assert_finds_only(diagnosis)
    for aspect in ("issuer", "type", "times", "audience"):
        assert diagnosis.outcome(f"sample token, {aspect}") == "fine"
    assert "mcp:tools" in diagnosis.text("sample token")


@pytest.mark.parametrize("audience", [FOREIGN, None], ids=["wrong", "missing"])
@where_the_provider_issues
def test_rs_18_the_audience_of_a_token_is_told_with_the_one_that_is_wanted(
    audience: str | None, patient: Installation
) -> None:
    diagnosis = consult(patient, token=patient.provider.good_token(aud=audience))

    assert diagnosis.failed() == {"sample token, audience", "sample token"}
    text = diagnosis.text("sample token, audience")
    assert f"expected {patient.provider.resource}, received {audience or 'nothing'}" in text
    assert f"identity.{patient.provider.profile}.audiences" in text


@where_the_provider_issues
def test_jv_07_a_token_that_expired_is_told_since_when(patient: Installation) -> None:
    now = int(time.time())

    diagnosis = consult(patient, token=patient.provider.good_token(iat=now - 2 * LONG, exp=now - LONG))

    assert diagnosis.failed() == {"sample token, times", "sample token"}
    assert "it expired 36" in diagnosis.text("sample token, times")


@where_the_provider_issues
def test_jv_08_a_token_of_the_future_is_told_for_the_clocks(patient: Installation) -> None:
    now = int(time.time())

    diagnosis = consult(patient, token=patient.provider.good_token(iat=now + LONG, exp=now + 2 * LONG))

    assert diagnosis.failed() == {"sample token, times", "sample token"}
    assert "clock" in diagnosis.text("sample token, times")


@where_the_provider_issues
def test_jv_04_a_token_of_another_issuer_is_told_with_both_names(patient: Installation) -> None:
    diagnosis = consult(patient, token=patient.provider.good_token(iss="https://another-issuer.example"))

    assert diagnosis.failed() == {"sample token, issuer", "sample token"}
    for issuer in (patient.provider.issuer, "https://another-issuer.example"):
        assert issuer in diagnosis.text("sample token, issuer")


@where_the_provider_issues
def test_jv_10_a_token_of_another_type_is_told(patient: Installation) -> None:
    provider = patient.provider

    diagnosis = consult(patient, token=provider.mint(provider.claims(), {"typ": "dpop+jwt"}))

    assert diagnosis.failed() == {"sample token, type", "sample token"}
    assert "received dpop+jwt" in diagnosis.text("sample token, type")


@where_the_provider_issues
def test_jv_01_a_signature_of_a_stranger_is_told(patient: Installation) -> None:
    diagnosis = consult(patient, token=patient.provider.mint(patient.provider.claims(), key="stranger"))

    assert diagnosis.failed() == {"sample token"}
    assert "signature" in diagnosis.text("sample token")


@only(("local", "clerk"), ("provider", "clerk"))
def test_jv_17_an_opaque_token_is_told_apart_from_one_that_can_be_read(patient: Installation) -> None:
    token = "oat_of-which-nobody-can-tell-anything"

    done = patient.server.run("doctor", "--token", token)

    assert done.returncode == 1
    assert "An opaque token says nothing by itself" in done.stdout
    assert_keeps_secrets(done.stdout + done.stderr, patient, token)


@only(*[("local", profile) for profile in PROFILES])
def test_up_07_a_token_of_the_provider_opens_nothing_where_this_server_issues_them(patient: Installation) -> None:
    diagnosis = consult(patient, token=patient.provider.good_token())

    assert diagnosis.failed() == {"sample token, issuer"}
    text = diagnosis.text("sample token, issuer")
    assert f'expected "{patient.server.url("")}", received "{patient.provider.issuer}"' in text
    assert 'authorization_server = "provider"' in text


@in_each_mode
def test_rs_02_a_base_url_that_somebody_else_answers_is_told(patient: Installation, tmp_path: Path) -> None:
    at_provider = other_settings(patient, tmp_path, {"base_url": patient.provider.origin})

    diagnosis = consult(patient, at_provider)

    assert diagnosis.outcome("base URL") == "failure"
    assert f"{patient.provider.origin}/.well-known/oauth-protected-resource" in diagnosis.text("base URL")


@in_each_mode
def test_rs_02_a_server_that_runs_with_other_settings_is_told(patient: Installation, tmp_path: Path) -> None:
    mode = "local" if patient.mode == "provider" else "provider"

    diagnosis = consult(patient, other_settings(replace(patient, mode=mode), tmp_path))

    assert diagnosis.outcome("base URL") == "failure"
    assert "other settings" in diagnosis.text("base URL")


UNREADABLE_STORES = {
    "no_database": lambda directory: directory / "text.sqlite",
    "a_folder": lambda directory: directory,
}


@pytest.mark.parametrize("case", UNREADABLE_STORES)
@in_each_mode
def test_a_store_that_can_not_be_read_is_told_and_left_alone(
    case: str, patient: Installation, tmp_path: Path
) -> None:
    text = "This is no database. " * 100
    (tmp_path / "text.sqlite").write_text(text)
    store = UNREADABLE_STORES[case](tmp_path)

    diagnosis = consult(patient, other_settings(patient, tmp_path, {"store": f"sqlite:{store}"}))

    assert_finds_only(diagnosis, store="failure")
    assert str(store) in diagnosis.text("store")
    assert (tmp_path / "text.sqlite").read_text() == text


@in_each_mode
def test_a_database_that_nobody_serves_is_told_without_its_password(patient: Installation, tmp_path: Path) -> None:
    store = f"postgres://somebody:a-password-of-nobody@127.0.0.1:{free_port()}/oauth"

    done = other_settings(patient, tmp_path, {"store": store}).run("doctor")

    assert done.returncode == 1
    assert "✗ store: " in done.stdout and "Connection refused" in done.stdout
    assert "a-password-of-nobody" not in done.stdout + done.stderr


@only(("local", "clerk"))
def test_a_store_that_is_not_there_is_a_warning_and_is_not_made(patient: Installation, tmp_path: Path) -> None:
    store = tmp_path / "later.sqlite"

    diagnosis = consult(patient, other_settings(patient, tmp_path, {"store": f"sqlite:{store}"}))

    assert_finds_only(diagnosis, store="warning")
    assert not store.exists()


def test_az_33_that_everybody_is_let_in_is_a_warning(
    tmp_path: Path, logs: list[Path], seen: SeenSecrets
) -> None:
    with installation(tmp_path, logs, seen, "keycloak") as installed:
        diagnosis = consult(installed)

        assert list(diagnosis.unwell().values()) == ["warning"]
        assert any("everybody who has an account at Keycloak" in it["message"] for it in diagnosis.findings)
