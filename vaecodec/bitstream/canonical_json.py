"""JSON in the one spelling that docs/format.md, section 8, allows: a container's header, an archive's metadata.

    value --spell--> bytes          bytes --parse--> value, and refused where spell(value) is not these bytes

How deep a value may nest and how large an integer may be are the format's own limits: a reader of any language decides
the same, whatever its stack and its numbers.
"""

import json
import re
from typing import Any, NoReturn

from vaecodec.bitstream.limits import MAX_JSON_DEPTH, MAX_JSON_INTEGER
from vaecodec.errors import BadField, LimitExceeded, NotCanonical

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # as many digits as MAX_JSON_INTEGER has
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def spell(value: object) -> bytes:
    """The canonical bytes of a value. Raises ValueError, TypeError, RecursionError where it is not plain JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def spell_checked(value: object, what: str) -> bytes:
    """As spell(), of a value that parse() gives back equal. Raises BadField, LimitExceeded."""
    try:
        text = spell(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadField(f"{what}: not plain JSON: {error}") from error
    if parse(text, what) != value:
        raise BadField(f"{what}: not plain JSON: it reads back as something else")
    return text


def parse(text: bytes, what: str) -> Any:
    """The value of canonical JSON. Raises BadField, LimitExceeded, NotCanonical."""
    structure = b"".join(_ESCAPE.sub(b"", text).split(b'"')[::2])  # what stands outside of strings
    _check_depth(structure, what)
    # A function of ours makes reading a header of a thousand integers take twice the time.
    parse_int = _integer if _LONG_NUMBER.search(structure) else None
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant, parse_int=parse_int)
        canonical = spell(value)
    except ValueError as error:
        raise BadField(f"{what}: not JSON: {error}") from error
    if canonical != text:
        raise NotCanonical(f"{what}: not the canonical form of its JSON")
    return value


def _check_depth(structure: bytes, what: str) -> None:
    """Each turn takes away the innermost pairs of brackets; what the last turn leaves is too deep, or no JSON."""
    brackets = structure.translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_JSON_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets:
        raise LimitExceeded(f"{what}: objects and lists nest deeper than {MAX_JSON_DEPTH}")
    if brackets:
        raise BadField(f"{what}: not JSON: brackets that do not pair")


def _integer(digits: str) -> int:
    # Longer ones are refused before they are read: reading takes quadratic time, and Python has a limit of its own.
    if len(digits) > len(str(-MAX_JSON_INTEGER)) or abs(value := int(digits)) > MAX_JSON_INTEGER:
        raise ValueError(f"an integer of {len(digits)} characters, not within ±{MAX_JSON_INTEGER}")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
