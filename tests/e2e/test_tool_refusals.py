"""Arguments a tool can't take come back as a tool error that says which and why."""

import re

import pytest

from application import Application
from builtin_tools import text_of
from server import Server
from ways import ONE_OF_EACH_PROTOCOL, Way

LARGEST = 2**63 - 1
SMALLEST = -(2**63)

# The offending argument is always `b`: unlike `a`, it is no word of English.
NAMES_THE_ARGUMENT = r"\bb\b"
NAMES_THE_OVERFLOW = r"64|overflow|range"

REFUSED = {
    "text_for_a_number": ({"a": 1, "b": "two"}, NAMES_THE_ARGUMENT),
    "fraction": ({"a": 1, "b": 2.5}, NAMES_THE_ARGUMENT),
    "missing": ({"a": 1}, NAMES_THE_ARGUMENT),
    "argument_beyond_64_bits": ({"a": 1, "b": LARGEST + 1}, NAMES_THE_ARGUMENT),
    "sum_above_64_bits": ({"a": LARGEST, "b": 1}, NAMES_THE_OVERFLOW),
    "sum_below_64_bits": ({"a": SMALLEST, "b": -1}, NAMES_THE_OVERFLOW),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("way", ONE_OF_EACH_PROTOCOL.values(), ids=ONE_OF_EACH_PROTOCOL.keys())
async def test_add_numbers_refuses_with_a_reason(
    way: Way, arguments: dict[str, object], reason: str, server: Server, signed_in_application: Application
) -> None:
    async with way.connect(signed_in_application, server) as client:
        refusal = await client.call_tool("add_numbers", arguments)

    assert refusal.is_error
    assert refusal.structured_content is None
    assert re.search(reason, text_of(refusal), re.IGNORECASE), text_of(refusal)
