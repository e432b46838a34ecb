"""Models in an archive: their records, and model files that are carried along and can be repaired (section 13.3).

embedded: length, CRC-32 of each chunk and of each parity, the file in chunks of 4096 bytes, 4 parities
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.names_table import decoded
from tests.independent.records import MODEL, Record, body_of
from tests.independent.refusal import require

CHUNK_BYTES = 4096
PARITY_CHUNKS = 4


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What a model record says."""

    fingerprint: bytes
    geometry: tuple[int, int]
    name: str


def read_model_record(record: Record) -> ModelRecord:
    """The content of a whole model record."""
    cursor = Cursor(record.checked_body(MODEL))
    fingerprint = cursor.take(32, "fingerprint")
    geometry = (cursor.unsigned(1, "height") + 1, cursor.unsigned(1, "width") + 1)
    name = decoded(cursor.take(cursor.unsigned(1, "a name's length"), "a model's name"))
    cursor.end("model record")
    return ModelRecord(fingerprint, geometry, name)


def head_is_whole(record: Record) -> bool:
    """Whether the check matches, which covers what stands before the file."""
    cursor = Cursor(record.body)
    size = cursor.unsigned(4, "the model file's length")
    head = record.body_start + 4 + 4 * (_chunks(size) + PARITY_CHUNKS)
    check = int.from_bytes(record.data[record.body_end : record.end], "little")
    return _body_bytes(size) == len(record.body) and check == crc32(record.data[record.start : head])


def embedded_file(written: bytes) -> bytes:
    """The model file in a record of known length, repaired where it can be; its fingerprint has still to be compared.

    A damaged head is no loss: the record's length tells the file's, and chunks that fit their parity are whole,
    whatever their CRC-32 says.
    """
    body = body_of(written)
    size = _file_bytes(len(body))
    chunks = _chunks(size)
    cursor = Cursor(body, 4)
    checks = [cursor.unsigned(4, "a chunk's CRC-32") for _ in range(chunks + PARITY_CHUNKS)]
    file = cursor.take(size, "the model file")
    padded = file.ljust(chunks * CHUNK_BYTES, b"\0")
    parts = [padded[CHUNK_BYTES * i : CHUNK_BYTES * (i + 1)] for i in range(chunks)]
    parts += [cursor.take(CHUNK_BYTES, "a parity") for _ in range(PARITY_CHUNKS)]
    for parity in range(PARITY_CHUNKS):
        members = [*range(parity, chunks, PARITY_CHUNKS), chunks + parity]
        damage = _exclusive_or([parts[i] for i in members])
        if not any(damage):
            continue
        rebuilt = {i: _exclusive_or([parts[i], damage]) for i in members}
        damaged = [i for i in members if crc32(parts[i]) != checks[i]]
        fitting = [i for i in damaged if crc32(rebuilt[i]) == checks[i]]
        found = fitting or (damaged if len(damaged) == 1 else [])
        for i in found[:1]:
            parts[i] = rebuilt[i]
    return b"".join(parts[:chunks])[:size]


def _exclusive_or(parts: Sequence[bytes]) -> bytes:
    arrays = [np.frombuffer(part, np.uint8) for part in parts]
    return np.bitwise_xor.reduce(arrays, axis=0).tobytes()


def _chunks(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _body_bytes(size: int) -> int:
    return 4 + 4 * (_chunks(size) + PARITY_CHUNKS) + size + PARITY_CHUNKS * CHUNK_BYTES


def _file_bytes(body: int) -> int:
    """The length of the file whose record's body has so many bytes."""
    rest = body - _body_bytes(0)
    size = rest - 4 * _chunks(max(0, rest))
    while size < rest and _body_bytes(size) < body:
        size += 1
    require(size >= 0 and _body_bytes(size) == body, "BadField", "an embedded model of another length")
    return size
