"""Checks made right behind a fuzzer's bytes: else it would search for a CRC, and see nothing of what lies behind it."""

import hashlib
import json
import zlib
from typing import Any

from vaecodec.bitstream.check import crc24
from vaecodec.bitstream.stream import CHECK_XOR

DIGEST_BYTES = 32
SYNC, EMBEDDED, FOOTER, BLOCK, TRAILER_BYTES = b"\xb7\x3a", 2, 5, 0x80, 16  # of an archive
HEADER_START = 46  # of a container: after magic, version, length and SHA-256


def sealed_stream(data: bytes, fingerprint: bytes) -> bytes:
    """A stream of version 1 with the model's short fingerprint and the check of a lossy or stored one."""
    body = data[:2] + fingerprint[:2] + data[4:-3]
    return body + (crc24(fingerprint + body) ^ CHECK_XOR).to_bytes(3, "big")


def sealed_picture(data: bytes, fingerprint: bytes) -> bytes:
    """A stream of version 2 with the model's short fingerprint and the right check."""
    body = data[:2] + fingerprint[:2] + data[4:-4]
    return body + zlib.crc32(body, zlib.crc32(fingerprint)).to_bytes(4, "little")


def sealed_container(data: bytes) -> bytes:
    """A model file with the SHA-256 of its header and of every section, where its header can be read at all."""
    size = int.from_bytes(data[10:14], "little")
    header = data[HEADER_START : HEADER_START + size]
    start = -(-(HEADER_START + len(header)) // 64) * 64
    try:
        said = json.loads(header)
        for section in said["sections"]:
            first = start + section["offset"]
            section["sha256"] = hashlib.sha256(data[first : first + section["size"]]).hexdigest()
        written = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        written = header
    if len(written) == len(header):
        header = written
    digest = hashlib.sha256(header).digest()
    return data[: HEADER_START - DIGEST_BYTES] + digest + header + data[HEADER_START + size :]


def sealed_archive(data: bytes, fingerprints: list[bytes]) -> bytes:
    """An archive whose records, read one after the other from its beginning, have right checks.

    A block's check is that of the first fingerprint; others stay as they are where the frames cannot be followed.
    """
    out, place = bytearray(data), 9
    while place + 8 < len(out) and out[place : place + 2] == SYNC:
        kind = out[place + 2]
        length, body = _uvarint(out, place + 3)
        end = body + length
        if end + 4 > len(out):
            break
        if kind >= BLOCK:
            before = fingerprints[0] if fingerprints else b""
            out[end : end + 4] = _check(before, out[place : end - _names_bytes(out, kind, body, end)])
        elif kind != EMBEDDED:  # which has checks of its own
            out[end : end + 4] = _check(b"", out[place:end])
        place = end + 4
        if kind == FOOTER:
            out[place + 8 : place + 12] = _check(b"", out[place : place + 8])
            place += TRAILER_BYTES
    return bytes(out)


def _names_bytes(data: bytearray, kind: int, place: int, end: int) -> int:
    """Of a block, whose check leaves its names out: they have their own."""
    if not kind & 1:
        return 0
    _, place = _uvarint(data, place)
    _, place = _uvarint(data, place + 1)
    return min(_uvarint(data, place)[0], end - place)


def _check(before: bytes, data: bytearray) -> bytes:
    return zlib.crc32(data, zlib.crc32(before)).to_bytes(4, "little")


def _uvarint(data: Any, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while place < len(data) and shift < 63:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 0x80:
            break
    return value, place
