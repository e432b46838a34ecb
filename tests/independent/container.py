"""The container: named sections of bytes behind a header of canonical JSON (section 8).

bytes --> meta (an object), sections {name: bytes}, hashes {name: SHA-256}
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from tests.independent import canonical_json
from tests.independent.canonical_json import exactly, record, text, whole
from tests.independent.cursor import Cursor
from tests.independent.refusal import require

MAGIC = bytes.fromhex("89 56 41 45 4d 0d 0a 1a")
VERSION = 1
MAX_CONTAINER_BYTES = 67108864
MAX_HEADER_BYTES = 1048576
MAX_SECTIONS = 4096
ALIGNMENT = 64

_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Container:
    """What a container holds; hashes keeps the header's order."""

    meta: dict[str, Any]
    sections: dict[str, bytes]
    hashes: dict[str, str]


def read(data: bytes) -> Container:
    """The container, everything checked but the meaning of its content."""
    require(len(data) <= MAX_CONTAINER_BYTES, "LimitExceeded", f"a container of {len(data)} bytes")
    cursor = Cursor(data)
    magic = cursor.take(min(8, len(data)) or 8, "magic")
    require(MAGIC.startswith(magic), "BadMagic", "no model file")
    require(len(magic) == 8, "Truncated", "magic")
    version = cursor.unsigned(2, "version")
    require(version == VERSION, "UnsupportedVersion", f"version {version}")
    size = cursor.unsigned(4, "header's length")
    require(size <= MAX_HEADER_BYTES, "LimitExceeded", f"a header of {size} bytes")
    digest = cursor.take(32, "header's SHA-256")
    spelling = cursor.take(size, "header")
    require(hashlib.sha256(spelling).digest() == digest, "BadChecksum", "header")
    header = exactly(canonical_json.parse(spelling), {"meta", "sections"}, "the header")
    meta = record(header["meta"], "meta")
    listed = header["sections"]
    require(isinstance(listed, list), "BadField", "sections is no list")
    require(len(listed) <= MAX_SECTIONS, "LimitExceeded", f"{len(listed)} sections")
    _skip_padding(cursor)
    sections, hashes = _read_sections(cursor, listed)
    cursor.end("container")
    return Container(meta, sections, hashes)


def _skip_padding(cursor: Cursor) -> None:
    padding = cursor.take(-cursor.position % ALIGNMENT, "padding")
    require(not any(padding), "NotCanonical", "padding that is not zero")


def _read_sections(cursor: Cursor, listed: list[Any]) -> tuple[dict[str, bytes], dict[str, str]]:
    base = cursor.position
    sections: dict[str, bytes] = {}
    hashes: dict[str, str] = {}
    before = ""
    for entry in listed:
        exactly(entry, {"name", "offset", "sha256", "size"}, "a section")
        name = text(entry["name"], "a section's name")
        require(_NAME.fullmatch(name) is not None, "BadField", f"a section's name {name!r}")
        require(name > before, "NotCanonical", f"section {name} is not in order")
        digest = text(entry["sha256"], "a section's SHA-256")
        require(_HASH.fullmatch(digest) is not None, "BadField", f"SHA-256 of {name}")
        size = whole(entry["size"], 0, MAX_CONTAINER_BYTES, f"size of {name}")
        _skip_padding(cursor)
        offset = whole(entry["offset"], 0, MAX_CONTAINER_BYTES, f"offset of {name}")
        require(offset == cursor.position - base, "NotCanonical", f"offset of {name}")
        sections[name] = cursor.take(size, name)
        hashes[name] = digest
        require(hashlib.sha256(sections[name]).hexdigest() == digest, "BadChecksum", name)
        before = name
    return sections, hashes
