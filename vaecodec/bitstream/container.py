"""The container: named sections of bytes behind a JSON header, each with its SHA-256. A model file is one.

    magic (8) | version (u16) | header's length (u32) | header's SHA-256 (32) | header (canonical JSON) | padding
    section | padding | section | padding | ... | section

    header = {"meta": {...}, "sections": [{"name": ..., "offset": ..., "sha256": ..., "size": ...}, ...]}

Every byte is covered by a SHA-256 or has one possible value. Sections are sorted by name and start at multiples of 64
bytes, zeros between; the file ends with the last one. There is one way to write each container, so that its bytes can
be compared and hashed. See docs/format.md.
"""

import hashlib
import re
from typing import Any

from vaecodec.bitstream.canonical_json import parse, spell_checked
from vaecodec.bitstream.limits import (
    MAX_CONTAINER_BYTES,
    MAX_HEADER_BYTES,
    MAX_NAME_CHARS,
    MAX_SECTIONS,
    SECTION_ALIGNMENT,
)
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.errors import BadChecksum, BadField, BadMagic, LimitExceeded, NotCanonical, Truncated, UnsupportedVersion

CONTAINER_MAGIC = b"\x89VAEM\r\n\x1a"  # as PNG's: a transfer as text, or a cut at control-Z, shows at once
CONTAINER_VERSION = 1
_DIGEST_BYTES = 32
_PREFIX_BYTES = len(CONTAINER_MAGIC) + 2 + 4 + _DIGEST_BYTES
_NAME = re.compile(rf"[a-z0-9][a-z0-9._/-]{{0,{MAX_NAME_CHARS - 1}}}", re.ASCII)
_SECTION_KEYS = {"name", "offset", "sha256", "size"}


def _aligned(offset: int) -> int:
    return -(-offset // SECTION_ALIGNMENT) * SECTION_ALIGNMENT


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadField(f"section name: {name!r} is not 1 to {MAX_NAME_CHARS} of a-z 0-9 . _ / -")
    return name


def pack_container(meta: dict[str, Any], sections: dict[str, bytes]) -> bytes:
    """The bytes of a container; `meta` must be plain JSON. Sections are written in the order of their names.

    Offsets count from the end of the padding after the header, so that a longer header does not move them.
    Raises BadField, LimitExceeded.
    """
    if len(sections) > MAX_SECTIONS:
        raise LimitExceeded(f"container: {len(sections)} sections, at most {MAX_SECTIONS} allowed")
    entries, body = [], Writer()
    for name in sorted(sections):
        body.raw(bytes(_aligned(len(body)) - len(body)))
        data = sections[name]
        digest = hashlib.sha256(data).hexdigest()
        entries.append({"name": _check_name(name), "offset": len(body), "sha256": digest, "size": len(data)})
        body.raw(data)
    header = spell_checked({"meta": meta, "sections": entries}, "container meta")
    writer = Writer()
    writer.raw(CONTAINER_MAGIC)
    writer.u16(CONTAINER_VERSION)
    writer.u32(len(header))
    writer.raw(hashlib.sha256(header).digest())
    writer.raw(header)
    writer.raw(bytes(_aligned(len(writer)) - len(writer)))
    writer.raw(body.getvalue())
    if len(header) > MAX_HEADER_BYTES or len(writer) > MAX_CONTAINER_BYTES:
        raise LimitExceeded(f"container: header {len(header)} and file {len(writer)} bytes exceed the limits")
    return writer.getvalue()


def unpack_container(data: Buffer) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """(meta, sections by name), every section compared with its SHA-256; the views share memory with `data`.

    Raises BadMagic, UnsupportedVersion, Truncated, TrailingData, BadChecksum, NotCanonical, BadField, LimitExceeded.
    """
    meta, sections, _ = unpack_with_digests(data)
    return meta, sections


def unpack_with_digests(data: Buffer) -> tuple[dict[str, Any], dict[str, memoryview], dict[str, str]]:
    """As unpack_container(), and the SHA-256 of each section by its name. Raises as that does."""
    reader = Reader(data)
    meta, entries = _take_header(reader)
    sections: dict[str, memoryview] = {}
    _take_padding(reader, "padding after the header")
    for name, size, digest in entries:
        _take_padding(reader, f"padding before section {name}")
        section = reader.take(size, f"section {name}")
        if hashlib.sha256(section).hexdigest() != digest:
            raise BadChecksum(f"section {name} at offset {reader.offset - size}: its SHA-256 differs from the header's")
        sections[name] = section
    reader.end("container")
    return meta, sections, {name: digest for name, _, digest in entries}


def unpack_header(data: Buffer) -> tuple[dict[str, Any], dict[str, str]]:
    """(meta, SHA-256 by section name) of a container's beginning: at least the header, at most the whole file.

    Raises as unpack_container does, Truncated where the header is longer than `data`.
    """
    meta, entries = _take_header(Reader(data))
    return meta, {name: digest for name, _, digest in entries}


def _take_header(reader: Reader) -> tuple[dict[str, Any], list[tuple[str, int, str]]]:
    magic = bytes(reader.take(min(len(CONTAINER_MAGIC), reader.remaining), "magic"))
    if not CONTAINER_MAGIC.startswith(magic):
        raise BadMagic(f"not a model file: starts with {magic.hex()}, expected {CONTAINER_MAGIC.hex()}")
    if len(magic) < len(CONTAINER_MAGIC):
        raise Truncated(f"magic: need {len(CONTAINER_MAGIC)} bytes at offset 0, have {len(magic)}")
    version = reader.u16("version")
    if version != CONTAINER_VERSION:
        raise UnsupportedVersion(f"model file version {version}: this release reads version {CONTAINER_VERSION}")
    if reader.offset + reader.remaining > MAX_CONTAINER_BYTES:
        raise LimitExceeded(f"container: {reader.offset + reader.remaining} bytes, at most {MAX_CONTAINER_BYTES}")
    header_bytes = reader.u32("header length")
    if header_bytes > MAX_HEADER_BYTES:
        raise LimitExceeded(f"header length: {header_bytes} bytes, at most {MAX_HEADER_BYTES} allowed")
    digest = bytes(reader.take(_DIGEST_BYTES, "header SHA-256"))
    header = bytes(reader.take(header_bytes, "header"))
    if hashlib.sha256(header).digest() != digest:
        raise BadChecksum(f"header at offset {_PREFIX_BYTES}: its SHA-256 differs from the one before it")
    return _parse_header(header)


def _take_padding(reader: Reader, what: str) -> None:
    padding = reader.take(_aligned(reader.offset) - reader.offset, what)
    if any(padding):
        raise NotCanonical(f"{what}: bytes before offset {reader.offset} are not zero")


def _parse_header(text: bytes) -> tuple[dict[str, Any], list[tuple[str, int, str]]]:
    header = parse(text, f"header at offset {_PREFIX_BYTES}")
    if not isinstance(header, dict) or set(header) != {"meta", "sections"}:
        raise BadField("header: expected an object of 'meta' and 'sections'")
    meta, listed = header["meta"], header["sections"]
    if not isinstance(meta, dict) or not isinstance(listed, list):
        raise BadField("header: 'meta' must be an object and 'sections' a list")
    if len(listed) > MAX_SECTIONS:
        raise LimitExceeded(f"header: {len(listed)} sections, at most {MAX_SECTIONS} allowed")
    return meta, _parse_entries(listed)


def _parse_entries(listed: list[Any]) -> list[tuple[str, int, str]]:
    entries: list[tuple[str, int, str]] = []
    offset, previous = 0, ""
    for entry in listed:
        if not isinstance(entry, dict) or set(entry) != _SECTION_KEYS:
            raise BadField(f"header: a section must have exactly {sorted(_SECTION_KEYS)}")
        name, size, digest = _check_name(entry["name"]), entry["size"], entry["sha256"]
        if type(size) is not int or type(entry["offset"]) is not int or not isinstance(digest, str):
            raise BadField(f"section {name}: 'offset' and 'size' must be integers and 'sha256' a string")
        if name <= previous:
            raise NotCanonical(f"section {name}: stands after {previous!r}, expected sorted names")
        if not 0 <= size <= MAX_CONTAINER_BYTES:
            raise LimitExceeded(f"section {name}: size {size} is not in 0..{MAX_CONTAINER_BYTES}")
        if entry["offset"] != _aligned(offset):
            raise BadField(f"section {name}: expected offset {_aligned(offset)}, found {entry['offset']}")
        offset, previous = _aligned(offset) + size, name
        entries.append((name, size, digest))
    return entries
