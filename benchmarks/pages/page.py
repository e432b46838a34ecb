"""What the generated pages share: their titles, the stored results, and the block of a page that is replaced."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import ROOT

README = ROOT / "README.md"
TITLES = {"mnist": "MNIST, 28×28, 8-bit grey", "dsprites": "dSprites, 64×64, 1 bit, real images"}
NOT_YET = "not measured yet"

Result = Mapping[str, Any]


class NoBlock(ValueError):
    """The text has no block between the two markers."""


def read(path: Path) -> Result | None:
    """A stored result; None where it is not there."""
    if not path.is_file():
        return None
    result: Result = json.loads(path.read_text(encoding="utf-8"))
    return result


def replace_block(text: str, block: str, markers: tuple[str, str]) -> str:
    """`text` with what stands between the markers replaced. Raises NoBlock."""
    before, begin, rest = text.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not (begin and end):
        raise NoBlock(f"expected {markers[0]} and, after it, {markers[1]}")
    return f"{before}{begin}\n\n{block.strip()}\n\n{end}{after}"


def write_pages(fresh: Mapping[Path, str]) -> None:
    """Write each page anew."""
    for path, text in fresh.items():
        path.write_text(text, encoding="utf-8")


def out_of_date(fresh: Mapping[Path, str]) -> list[Path]:
    """The pages whose text is another."""
    return [path for path, text in fresh.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
