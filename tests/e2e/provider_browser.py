"""A browser whose person logs in at a provider: after our consent, or where the client sends them at once."""

from browser import ALICE, Browser, Callback, Person, back_at_client
from page import Page
from seen_secrets import SeenSecrets


class BrowserAtProvider(Browser):
    """`provider` is the button to press on our consent page; without one the client knows the provider itself."""

    def __init__(self, seen: SeenSecrets, provider: str | None, person: Person = ALICE) -> None:
        super().__init__(seen)
        self.person = person
        self._provider = provider

    async def authorize(self, authorization_url: str, client_name: str, decision: str = "approve") -> Callback:
        if self._provider is None:
            return back_at_client(await self.log_in_there(await self.visit(authorization_url)))
        page = await self.open(authorization_url)
        if decision != "approve":
            return await self.decide(page, decision)
        return back_at_client(await self.consent_and_log_in(page, client_name))

    async def consent_and_log_in(self, page: Page, client_name: str) -> Page | Callback:
        return await self.log_in_there(await self.consent(page, client_name))

    async def consent(self, page: Page, client_name: str) -> Page | Callback:
        """Ends on the provider's page, or at the client when the provider knows the browser."""
        assert self._provider is not None
        self.assert_page_informs(page, client_name)
        return await self.press(page, "provider", self._provider)

    async def log_in_there(self, answer: Page | Callback) -> Page | Callback:
        if isinstance(answer, Page) and answer.asks_for_password:
            return await self.log_in(answer, self.person)
        return answer
