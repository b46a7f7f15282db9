"""A client whose identifier is the address of its metadata document needs no registration."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from application import CLIENT_NAME, REDIRECT_URI, Application
from browser import ALICE
from builtin_tools import assert_tools_work
from http_client import observed_client
from publisher import HOST, Publisher
from seen_secrets import SeenSecrets
from server import Server
from ways import ONE_OF_EACH_PROTOCOL, Way

DOCUMENT = "/client.json"
KEYS = "/keys.json"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def document(publisher: Publisher, **different: Any) -> dict[str, Any]:
    return {
        "client_id": publisher.url(DOCUMENT),
        "client_name": CLIENT_NAME,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        **different,
    }


@pytest.fixture
def documented(publisher: Publisher, seen: SeenSecrets) -> Application:
    """A client that publishes what it is."""
    publisher.documents[DOCUMENT] = document(publisher)
    return Application(seen, document_url=publisher.url(DOCUMENT))


@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_ci_10_a_client_with_a_document_signs_in_and_refreshes_without_registering(
    way: Way, documents_server: Server, publisher: Publisher, documented: Application
) -> None:
    async with way.connect(documented, documents_server) as client:
        await assert_tools_work(client)
        documented.access_token_expires()
        await assert_tools_work(client)

    registration = documented.disk.registration
    assert registration is not None
    assert registration.client_id == publisher.url(DOCUMENT)
    assert registration.client_secret is None
    assert documented.sign_ins == 1
    assert DOCUMENT in publisher.asked


async def test_az_19_the_person_is_told_who_answers_for_the_document(
    documents_server: Server, documented: Application
) -> None:
    browser = documented.browser
    page = await browser.open(await documented.authorization_url(documents_server.url("/mcp")))

    page = await browser.sign_in(page, ALICE)

    browser.assert_consent_is_informed(page, CLIENT_NAME)
    assert HOST in page.text


async def test_ci_04_a_server_that_is_not_under_test_asks_nobody_on_this_machine(
    server: Server, publisher: Publisher, documented: Application
) -> None:
    asked = len(publisher.asked)

    page = await documented.browser.open(await documented.authorization_url(server.url("/mcp")))

    assert page.status == 400
    assert not page.forms
    assert len(publisher.asked) == asked


async def test_ci_18_a_document_that_is_not_there_ends_on_a_page_and_as_invalid_client(
    documents_server: Server, publisher: Publisher, seen: SeenSecrets
) -> None:
    missing = publisher.url("/missing.json")
    nobody = Application(seen, document_url=missing)

    page = await nobody.browser.open(await nobody.authorization_url(documents_server.url("/mcp")))

    assert page.status == 400
    assert not page.forms
    form = {"grant_type": "authorization_code", "client_id": missing, "code": "x"}
    assert await refusal(documents_server, seen, form) == (401, "invalid_client")


async def test_ci_12_an_address_that_is_not_in_the_document_is_not_returned_to(
    documents_server: Server, publisher: Publisher, seen: SeenSecrets
) -> None:
    elsewhere = document(publisher, client_id=publisher.url("/elsewhere.json"))
    elsewhere["redirect_uris"] = ["https://client.example/callback"]
    publisher.documents["/elsewhere.json"] = elsewhere
    application = Application(seen, document_url=publisher.url("/elsewhere.json"))

    page = await application.browser.open(await application.authorization_url(documents_server.url("/mcp")))

    assert page.status == 400
    assert not page.forms


async def test_ex_02_ci_17_a_client_signs_with_a_key_it_publishes_and_each_signature_counts_once(
    documents_server: Server, publisher: Publisher, seen: SeenSecrets
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    url = publisher.url("/signing.json")
    publisher.documents[KEYS] = {"keys": [public | {"kid": "1", "alg": "ES256", "use": "sig"}]}
    publisher.documents["/signing.json"] = document(
        publisher,
        client_id=url,
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=publisher.url(KEYS),
    )
    application = Application(seen, document_url=url)
    verifier = secrets.token_urlsafe(48)
    # The SDK signs nothing in this flow and keeps its verifier to itself, so it goes no further than here.
    asked = httpx2.URL(await application.authorization_url(documents_server.url("/mcp")))
    asked = asked.copy_set_param("code_challenge", challenge(verifier))
    answer = await application.browser.authorize(str(asked), CLIENT_NAME)
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "code_verifier": verifier,
        "redirect_uri": REDIRECT_URI,
    }
    once = signed(key, url, audience=answer["iss"])

    assert await refusal(documents_server, seen, {**form, "client_id": url}) == (401, "invalid_client")
    foreign = signed(ec.generate_private_key(ec.SECP256R1()), url, audience=answer["iss"])
    assert await refusal(documents_server, seen, form | foreign) == (401, "invalid_client")
    tokens = await post(documents_server, seen, form | once)

    assert tokens.status_code == 200, tokens.text
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.json()["refresh_token"]}
    assert await refusal(documents_server, seen, refresh | once) == (401, "invalid_client")
    again = signed(key, url, audience=answer["iss"])
    assert (await post(documents_server, seen, refresh | again)).status_code == 200


def challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signed(key: ec.EllipticCurvePrivateKey, client: str, audience: str) -> dict[str, str]:
    """The two parameters with which a client proves who it is (RFC 7523 §2.2)."""
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "exp": int(time.time()) + 60,
        "jti": secrets.token_urlsafe(16),
    }
    assertion = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "1"})
    return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}


async def post(server: Server, seen: SeenSecrets, form: dict[str, str]) -> Any:
    async with observed_client(seen) as http:
        return await http.post(server.url("/token"), data=form)


async def refusal(server: Server, seen: SeenSecrets, form: dict[str, str]) -> tuple[int, str]:
    answer = await post(server, seen, form)
    return answer.status_code, answer.json()["error"]
