"""What a person sees on a page, and what the forms on it would send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

VOID_ELEMENTS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
UNSEEN_ELEMENTS = frozenset({"head", "script", "style", "template"})


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: set[tuple[str, str]] = field(default_factory=set)
    asks_for_password: bool = False


class Page(HTMLParser):
    """One HTML answer, read once."""

    def __init__(self, url: str, status: int, html: str, headers: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.status = status
        self.headers = headers
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._open_form: Form | None = None
        self._open_elements: list[tuple[str, str | None]] = []
        self._text: list[str] = []
        self._alert: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join("".join(self._text).split())

    @property
    def alert(self) -> str:
        return " ".join("".join(self._alert).split())

    @property
    def asks_for_password(self) -> bool:
        return any(form.asks_for_password for form in self.forms)

    @property
    def asks_for_decision(self) -> bool:
        return any(("decision", "approve") in form.buttons for form in self.forms)

    def login_form(self) -> Form:
        return self._only_form([form for form in self.forms if form.asks_for_password], "asks for a password")

    def form_with_button(self, name: str, value: str) -> Form:
        return self._only_form(
            [form for form in self.forms if (name, value) in form.buttons], f"has a button {name}={value}"
        )

    def _only_form(self, found: list[Form], wanted: str) -> Form:
        assert len(found) == 1, f"{len(found)} forms where one {wanted}; HTTP {self.status} says: {self.text}"
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag not in VOID_ELEMENTS:
            self._open_elements.append((tag, attributes.get("role")))
        if tag == "form":
            action = urljoin(self.url, attributes.get("action", ""))
            self._open_form = Form(action, attributes.get("method", "get").upper())
            self.forms.append(self._open_form)
        elif tag == "a":
            self.links.append(urljoin(self.url, attributes.get("href", "")))
        elif tag in ("button", "input") and self._open_form is not None:
            self._add_control(self._open_form, tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open_form = None
        # HTML lets an end tag be left out: an outer one closes what is still open inside.
        if any(tag == name for name, _ in self._open_elements):
            while self._open_elements.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if any(tag in UNSEEN_ELEMENTS for tag, _ in self._open_elements):
            return
        self._text.append(data)
        if any(role == "alert" for _, role in self._open_elements):
            self._alert.append(data)

    @staticmethod
    def _add_control(form: Form, tag: str, attributes: dict[str, str]) -> None:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        kind = attributes.get("type", "submit" if tag == "button" else "text")
        if not name or "disabled" in attributes:
            return
        if kind == "submit":
            form.buttons.add((name, value))
        elif kind not in ("checkbox", "radio"):
            form.fields[name] = value
        elif "checked" in attributes:
            form.fields[name] = value or "on"
        form.asks_for_password |= (kind, name) == ("password", "password")
