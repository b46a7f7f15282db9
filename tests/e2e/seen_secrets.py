"""Which secrets crossed the wire during the run."""

from collections import defaultdict
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import httpx2

FORM_FIELDS = frozenset(
    {"client_assertion", "client_secret", "code", "code_verifier", "password", "refresh_token", "token"}
)
JSON_MEMBERS = frozenset(
    {"access_token", "client_secret", "id_token", "refresh_token", "registration_access_token"}
)

# 128 bits in base64url; a shorter value, such as the dev user's password, is a word a log may use.
RANDOM_LENGTH = 22


class SeenSecrets:
    """The secrets of a run by their parameter name, read from the traffic of every HTTP client."""

    def __init__(self) -> None:
        self.by_kind: dict[str, set[str]] = defaultdict(set)

    def add(self, kind: str, value: str) -> None:
        if not value:
            return
        self.by_kind[kind].add(value if len(value) >= RANDOM_LENGTH else urlencode({kind: value}))

    def kinds_in(self, text: str) -> set[str]:
        """Names only: a failing test must not print what the log should not have held."""
        return {
            kind
            for kind, values in self.by_kind.items()
            if any(value in text or quote(value, safe="") in text for value in values)
        }

    def event_hooks(self) -> dict[str, list]:
        return {"request": [self._read_request], "response": [self._read_response]}

    async def _read_request(self, request: httpx2.Request) -> None:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme:
            self.add(f"{scheme.lower()} credentials", credentials)
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            for name, value in parse_qsl(request.content.decode()):
                if name in FORM_FIELDS:
                    self.add(name, value)

    async def _read_response(self, response: httpx2.Response) -> None:
        for cookie in response.headers.get_list("set-cookie"):
            self.add("cookie", cookie.partition(";")[0].partition("=")[2])
        for code in parse_qs(urlsplit(response.headers.get("location", "")).query).get("code", []):
            self.add("code", code)
        is_json = response.headers.get("content-type", "").startswith("application/json")
        # A 202 may bear the type and no body.
        if is_json and await response.aread() and isinstance(document := response.json(), dict):
            for name in JSON_MEMBERS & document.keys():
                self.add(name, document[name])
