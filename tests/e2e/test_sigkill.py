"""SIGKILL at random points under load: nothing acknowledged is lost, nothing single-use is used twice.

`KILLS` says how often (5 unless set), `SEED` repeats a run's moments and choices.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx2

from conftest import running_server
from oauth_client import AuthorizedClient, Family, Refused
from seen_secrets import SeenSecrets
from server import Server

KILLS = int(os.environ.get("KILLS", "5"))
SEED = int(os.environ.get("SEED") or random.randrange(2**32))

WORKERS = 6
LONGEST_WAIT_SECONDS = 1.5
UNDER_LOAD = 0.8
"""How many of the kills come after a code was redeemed since the start; the others at any moment."""

MOST_CHECKED = 12
"""Of each kind of acknowledged thing, after each kill; the newest are among them."""

Thing = TypeVar("Thing")


class Ledger:
    """What the server acknowledged, and what it was asked without answering."""

    def __init__(self) -> None:
        self.clients: list[AuthorizedClient] = []
        self.families: list[Family] = []
        self.spent_codes: list[tuple[AuthorizedClient, str]] = []
        self.unanswered_codes: list[tuple[AuthorizedClient, str]] = []
        self.revoked: list[Family] = []
        self.spent_one = asyncio.Event()


async def test_tk_08_rf_04_rg_10_a_kill_loses_nothing_acknowledged_and_frees_nothing_spent(
    tmp_path: Path,
) -> None:
    # Its own, and its log is nobody's: to look for thousands of secrets in so much log takes hours.
    seen = SeenSecrets()
    print(f"SEED={SEED}")
    chance = random.Random(SEED)
    with running_server(tmp_path, []) as server:
        ledger = Ledger()
        for kill in range(KILLS):
            await load_until_killed(server, ledger, seen, chance)
            server.start()
            await assert_nothing_is_lost(ledger, chance, f"kill {kill + 1}, SEED={SEED}")
    assert ledger.spent_codes and len(ledger.clients) >= WORKERS, "there was no load"


async def load_until_killed(server: Server, ledger: Ledger, seen: SeenSecrets, chance: random.Random) -> None:
    ledger.spent_one.clear()
    async with asyncio.TaskGroup() as workers:
        for _ in range(WORKERS):
            workers.create_task(until_gone(work(server, ledger, seen, random.Random(chance.random()))))
        if chance.random() < UNDER_LOAD:
            await ledger.spent_one.wait()
        # Not luck but chance: the moment of the kill is what the test varies.
        await asyncio.sleep(chance.uniform(0, LONGEST_WAIT_SECONDS))
        server.kill()


async def until_gone(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except httpx2.TransportError:
        pass


async def work(server: Server, ledger: Ledger, seen: SeenSecrets, chance: random.Random) -> None:
    client = await AuthorizedClient.register(server, seen)
    ledger.clients.append(client)
    while True:
        family = await redeem(client, await client.obtain_code(), ledger)
        for _ in range(chance.randrange(4)):
            await family.refresh()
        if chance.random() < 0.3:
            ledger.families.remove(family)
            await family.revoke()
            ledger.revoked.append(family)


async def redeem(client: AuthorizedClient, code: str, ledger: Ledger) -> Family:
    """Redeems a code; the ledger has it as unanswered until there is an answer."""
    ledger.unanswered_codes.append((client, code))
    family = await client.redeem(code)
    ledger.unanswered_codes.remove((client, code))
    ledger.spent_codes.append((client, code))
    ledger.spent_one.set()
    ledger.families.append(family)
    return family


async def assert_nothing_is_lost(ledger: Ledger, chance: random.Random, when: str) -> None:
    for client in some_of(ledger.clients, chance):
        assert await client.is_registered(), f"{when}: a registration is lost"
    for family in some_of(ledger.families, chance):
        assert await family.is_alive(), f"{when}: a refresh token that was handed out is not accepted"
    for family in some_of(ledger.revoked, chance):
        assert not await family.is_alive(), f"{when}: a revoked grant came back"
    await assert_unanswered_codes_work_at_most_once(ledger, when)
    await assert_spent_codes_are_spent(ledger, chance, when)


async def assert_unanswered_codes_work_at_most_once(ledger: Ledger, when: str) -> None:
    for client, code in ledger.unanswered_codes:
        redeemed = 0
        for _ in range(2):
            async with refusal_is_fine():
                await client.redeem(code)
                redeemed += 1
        assert redeemed <= 1, f"{when}: a code was redeemed twice"
    ledger.unanswered_codes.clear()


async def assert_spent_codes_are_spent(ledger: Ledger, chance: random.Random, when: str) -> None:
    """Each replay ends the grant of its code, so its family leaves the ledger first."""
    for client, code in some_of(ledger.spent_codes, chance):
        ledger.families = [family for family in ledger.families if family.code != code]
        redeemed = False
        async with refusal_is_fine():
            await client.redeem(code)
            redeemed = True
        assert not redeemed, f"{when}: a code that was redeemed before the kill was redeemed again"


@asynccontextmanager
async def refusal_is_fine() -> AsyncIterator[None]:
    try:
        yield
    except Refused as refused:
        assert refused.error == "invalid_grant", refused


def some_of(things: list[Thing], chance: random.Random) -> list[Thing]:
    newest, older = things[-(MOST_CHECKED // 2) :], things[: -(MOST_CHECKED // 2)]
    return newest + chance.sample(older, min(len(older), MOST_CHECKED // 2))
