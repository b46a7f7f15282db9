"""A place in PostgreSQL that nobody else uses, as long as a test takes."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

VARIABLE = "TEST_POSTGRES_URL"


@contextmanager
def empty_schema() -> Iterator[str]:
    """The address of a new schema, removed in the end; without a server to make it on, the test is skipped."""
    url = os.environ.get(VARIABLE)
    if not url:
        pytest.skip(f"{VARIABLE} is not set: there is no PostgreSQL to test with")
    name = f"mcp_oauth_e2e_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        try:
            yield f"{url}{'&' if '?' in url else '?'}options={quote(f'-c search_path={name}')}"
        finally:
            server.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
