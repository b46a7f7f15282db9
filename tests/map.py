"""Writes the map of requirement ids to tests into tests/README.md, from the names of the tests."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = "rs jv md az up tk rf rv in rg ci ex co cl".split()
ID = r"(?:%s)_\d\d_" % "|".join(FAMILIES)
NAME = re.compile(r"\b(?:test_)?((?:%s)+[a-z]\w+)" % ID)
HEAD = "<!-- The rows below are written by tests/map.py and checked by tests/architecture. -->\n"


def tests_by_id() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    sources = [path for folder in ("src", "adapters", "tests") for path in (ROOT / folder).rglob("*.rs")]
    sources += (ROOT / "tests" / "e2e").glob("*.py")
    for path in sources:
        for name in NAME.findall(path.read_text()):
            for id in re.findall(ID, re.match(f"(?:{ID})+", name).group()):
                found.setdefault(id.strip("_").replace("_", "-").upper(), set()).add(name)
    return found


def main() -> None:
    found = tests_by_id()
    order = sorted(found, key=lambda id: (FAMILIES.index(id[:2].lower()), id))
    rows = [f"| {id} | {', '.join(f'`{name}`' for name in sorted(found[id]))} |\n" for id in order]
    readme = ROOT / "tests" / "README.md"
    text = readme.read_text()
    start = text.index(HEAD) + len(HEAD)
    readme.write_text(text[:start] + "\n| id | tests |\n|---|---|\n" + "".join(rows))


if __name__ == "__main__":
    main()
