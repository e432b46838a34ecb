"""JSON in the one spelling that section 8 allows.

bytes --json--> value --write--> bytes, which must be the same
"""

import json
from typing import Any

from tests.independent.refusal import Refused, require

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1
_MAX_CHARACTERS = 20  # of an integer within ±MAX_INTEGER


def parse(data: bytes) -> Any:
    """The value that canonical JSON says. Refuses other spellings."""
    try:
        value = json.loads(
            data.decode("utf-8"), parse_constant=_no_constant, parse_int=_integer, object_pairs_hook=_object
        )
        _check_depth(value, MAX_DEPTH)
        spelling = write(value)
    except RecursionError as error:
        raise Refused("LimitExceeded", "far too deep") from error
    except ValueError as error:
        raise Refused("BadField", f"no JSON: {error}") from error
    require(spelling == data, "NotCanonical", "JSON in another spelling")
    return value


def write(value: Any) -> bytes:
    """Keys sorted, no white space, only what must be escaped escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def whole(value: Any, low: int, high: int, what: str) -> int:
    """An integer of low … high, which true and 1.0 are not."""
    require(type(value) is int, "BadField", f"{what} is no whole number")
    require(low <= value <= high, "BadField", f"{what} is not within {low} to {high}")
    return value


def text(value: Any, what: str) -> str:
    """A string."""
    require(isinstance(value, str), "BadField", f"{what} is no text")
    return value


def record(value: Any, what: str) -> dict[str, Any]:
    """An object."""
    require(isinstance(value, dict), "BadField", f"{what} is no object")
    return value


def exactly(value: Any, keys: set[str], what: str) -> dict[str, Any]:
    """An object of exactly these keys."""
    entries = record(value, what)
    require(keys <= entries.keys(), "BadField", f"{what} has no {sorted(keys - entries.keys())}")
    require(entries.keys() <= keys, "NotCanonical", f"{what} has also {sorted(entries.keys() - keys)}")
    return entries


def _integer(digits: str) -> int:
    require(len(digits) <= _MAX_CHARACTERS, "BadField", f"an integer of {len(digits)} characters")
    value = int(digits)
    require(abs(value) <= MAX_INTEGER, "BadField", f"the integer {value}")
    return value


def _check_depth(value: Any, left: int) -> None:
    """Refuses objects and lists of which more than `left` lie in one another."""
    if isinstance(value, dict | list):
        require(left > 0, "LimitExceeded", f"nested deeper than {MAX_DEPTH}")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, left - 1)


def _no_constant(name: str) -> None:
    raise Refused("BadField", f"{name} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    require(len(entries) == len(pairs), "NotCanonical", "a key that is there twice")
    return entries
