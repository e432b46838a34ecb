"""What a network must give for 64 stored rows (sections 10, 14.5 and 15.3)."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent.arrays import Sections
from tests.independent.canonical_json import exactly, text
from tests.independent.refusal import require

ROWS = 64
_HASH = re.compile(r"[0-9a-f]{64}")


def read_hashes(value: Any) -> tuple[str, str]:
    """ "one" and "all"."""
    entries = exactly(value, {"one", "all"}, "known_answer")
    one, every = (text(entries[key], f"known_answer {key}") for key in ("one", "all"))
    require(bool(_HASH.fullmatch(one) and _HASH.fullmatch(every)), "BadField", "known_answer: no SHA-256")
    return one, every


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """Rows (64, m) and the hashes of what they give."""

    one: str
    every: str
    rows: NDArray[np.int64]

    @classmethod
    def read(cls, value: Any, sections: Sections, name: str, inputs: int) -> "KnownAnswer":
        """From the "known_answer" object and its section."""
        one, every = read_hashes(value)
        rows = sections.narrowest(name)
        require(rows.shape == (ROWS, inputs), "BadField", f"{name} has the shape {rows.shape}")
        return cls(one, every, rows)

    def require(self, results: Callable[[NDArray[np.int64]], Iterable[NDArray]], *, several: bool) -> None:
        """Refuses a model whose results for the first row, or for `several` those for all rows, hash otherwise."""
        digest, rows = (self.every, self.rows) if several else (self.one, self.rows[:1])
        require(hash_of(results(rows)) == digest, "KnownAnswerMismatch", "the arithmetic gives other numbers")


def hash_of(results: Iterable[NDArray]) -> str:
    """SHA-256 of results, one after the other, as int32 in C order."""
    digest = hashlib.sha256()
    for result in results:
        digest.update(np.ascontiguousarray(result, "<i4").tobytes())
    return digest.hexdigest()
