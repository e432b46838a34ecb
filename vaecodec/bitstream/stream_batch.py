"""Many plain streams at once: lossy, of the model's own size. The same bytes as stream.py, which does all the others.

payloads ──pack_plain──> streams          streams ──sift──> which are plain and whole, and their levels

| magic, version | level | short fingerprint | payload | check |        each a row of a matrix; the check runs
| 1 byte         | 1     | 2                 | rest    | 3     |        down its columns, all rows at once
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.check import CRC24_TABLE
from vaecodec.bitstream.limits import CHECK_BYTES, MAX_LEVEL, SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.reader import Buffer
from vaecodec.bitstream.stream import CHECK_XOR, STREAM_MAGIC, STREAM_VERSION, fingerprint_state, pack

HEAD_BYTES = 2 + SHORT_FINGERPRINT_BYTES
MAX_PLAIN_BYTES = 2048  # a long stream among short ones must not widen the matrix; stream.py does it
_TABLE = np.array(CRC24_TABLE, np.uint32)


@dataclass(frozen=True, slots=True)
class Sifted:
    """plain: bool (b,), False for what stream.py must read or refuse; level: int (b,), of the plain ones."""

    plain: npt.NDArray[np.bool_]
    level: npt.NDArray[np.intp]


def pack_plain(level: int, fingerprint: bytes, payloads: Sequence[bytes]) -> list[bytes]:
    """What pack() gives for each payload without a size. Raises BadField and LimitExceeded as that does."""
    if not payloads or max(map(len, payloads)) > MAX_PLAIN_BYTES - HEAD_BYTES - CHECK_BYTES:
        return [pack(level, fingerprint, None, payload) for payload in payloads]
    head = pack(level, fingerprint, None, b"")[:HEAD_BYTES]
    bodies = [head + payload for payload in payloads]
    checks = (_checks(bodies, fingerprint) ^ CHECK_XOR).astype(">u4").tobytes()
    return [body + checks[4 * k + 1 : 4 * k + 4] for k, body in enumerate(bodies)]


def sift(streams: Sequence[Buffer], fingerprint: bytes) -> Sifted:
    """Which of the streams are plain, whole, and made with the model of this fingerprint."""
    lengths = np.array([len(data) for data in streams], np.intp)
    plain = (lengths >= HEAD_BYTES + CHECK_BYTES) & (lengths <= MAX_PLAIN_BYTES)
    level = np.zeros(len(streams), np.intp)
    places = np.flatnonzero(plain)
    if len(places):
        chosen = [bytes(streams[k]) for k in places.tolist()]
        head = np.frombuffer(b"".join(data[:HEAD_BYTES] for data in chosen), np.uint8).reshape(-1, HEAD_BYTES)
        level[places] = head[:, 1]
        fixed = bytes((STREAM_MAGIC | STREAM_VERSION, 0)) + fingerprint[:SHORT_FINGERPRINT_BYTES]
        agrees = (head == np.frombuffer(fixed, np.uint8)) | (np.arange(HEAD_BYTES) == 1)
        found = np.frombuffer(b"".join(b"\0" + data[-CHECK_BYTES:] for data in chosen), ">u4")
        expected = _checks([data[:-CHECK_BYTES] for data in chosen], fingerprint) ^ CHECK_XOR
        plain[places] = agrees.all(axis=1) & (head[:, 1] <= MAX_LEVEL) & (found == expected)
    return Sifted(plain, level)


def payload_of(data: Buffer) -> bytes:
    """The payload of a plain stream."""
    return bytes(data[HEAD_BYTES:-CHECK_BYTES])


def _checks(bodies: list[bytes], fingerprint: bytes) -> npt.NDArray[np.uint32]:
    """crc24() of each, begun with the fingerprint's state."""
    lengths = np.fromiter(map(len, bodies), np.intp, len(bodies))
    order = np.argsort(-lengths, kind="stable")  # those that end first stand last, and leave a shorter column
    width = int(lengths.max())
    text = b"".join(bodies[k].ljust(width, b"\0") for k in order.tolist())
    columns = np.ascontiguousarray(np.frombuffer(text, np.uint8).reshape(-1, width).T)
    left = np.searchsorted(-lengths[order], -np.arange(1, width + 1), side="right")
    state = np.full(len(bodies), fingerprint_state(fingerprint), np.uint32)
    for column, count in zip(columns, left.tolist(), strict=True):
        part = state[:count]
        state[:count] = (part & 0xFFFF) << 8 ^ _TABLE[part >> 16 ^ column[:count]]
    found = np.empty_like(state)
    found[order] = state
    return found
