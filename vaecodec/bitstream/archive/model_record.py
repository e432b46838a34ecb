"""Which model an archive's blocks were made with, and, embedded, the model file itself, which survives damage.

    model record body:    fingerprint (32) | height - 1 (u8) | width - 1 (u8) | name's length (u8) | name
    embedded record body: file's bytes (u32) | CRC-32 of each chunk and parity (u32 each) | file | parities (4 chunks)

The file is cut into chunks of 4096 bytes. Parity j is the XOR of chunks j, j + 4, j + 8 ..., the last one filled up
with zeros. Where they do not fit together, the chunk whose CRC-32 does not match is rebuilt from the others, so one
flipped byte cannot lose the whole archive.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Size
from vaecodec.bitstream.archive.limits import (
    CHUNK_BYTES,
    KIND_EMBEDDED,
    KIND_MODEL,
    MAX_MODEL_NAME_BYTES,
    PARITY_CHUNKS,
)
from vaecodec.bitstream.archive.record import (
    MAX_FRAME_BYTES,
    RECORD_CHECK_BYTES,
    pack_frame,
    pack_record,
    unpack_record,
)
from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES, MAX_SIDE
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.bitstream.stream import FINGERPRINT_BYTES
from vaecodec.errors import BadField, LimitExceeded

ANY_SIZE: Size = (1, 1)  # the geometry of a photograph model, which has none
Bytes = npt.NDArray[np.uint8]
MAX_MODEL_RECORD_BYTES = MAX_FRAME_BYTES + FINGERPRINT_BYTES + 3 + MAX_MODEL_NAME_BYTES + RECORD_CHECK_BYTES
MAX_EMBEDDED_BYTES = MAX_CONTAINER_BYTES + (MAX_CONTAINER_BYTES >> 9)  # with CRCs and parities


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model that blocks refer to by number: its whole fingerprint, geometry (height, width) and name.

    Its channels are not here: who decodes with it has the model itself, found by the fingerprint.
    """

    fingerprint: bytes
    geometry: Size
    name: str


def pack_model_record(model: ModelRecord) -> bytes:
    """The record of a model. Raises LimitExceeded, for a geometry too that version 1 of the archive cannot say."""
    name = model.name.encode("utf-8")
    if len(name) > MAX_MODEL_NAME_BYTES:
        raise LimitExceeded(f"model name: {len(name)} bytes, at most {MAX_MODEL_NAME_BYTES} allowed")
    height, width = model.geometry
    if max(model.geometry) > MAX_SIDE:
        raise LimitExceeded(f"model of {height}x{width}: version 1 of the archive takes sides of at most {MAX_SIDE}")
    writer = Writer()
    writer.raw(model.fingerprint)
    for number in (height - 1, width - 1, len(name)):
        writer.u8(number)
    writer.raw(name)
    return pack_record(KIND_MODEL, writer.getvalue())


def unpack_model_record(data: Buffer) -> ModelRecord:
    """The inverse of pack_model_record. Raises FormatError's children."""
    reader = Reader(unpack_record(data, KIND_MODEL))
    fingerprint = bytes(reader.take(FINGERPRINT_BYTES, "model fingerprint"))
    geometry = (reader.u8("model's height") + 1, reader.u8("model's width") + 1)
    name = bytes(reader.take(reader.u8("length of the model's name"), "model's name"))
    reader.end("model record")
    try:
        return ModelRecord(fingerprint, geometry, name.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadField(f"model's name: not UTF-8 ({error.reason})") from error


def _chunks_of(file: Buffer) -> Bytes:
    """The chunks (k, 4096), the last filled up with zeros."""
    data = bytes(file)
    padded = data + bytes(-len(data) % CHUNK_BYTES)
    return np.frombuffer(padded, np.uint8).reshape(-1, CHUNK_BYTES).copy()


def _parities_of(chunks: Bytes) -> Bytes:
    parities = [np.bitwise_xor.reduce(chunks[j::PARITY_CHUNKS], axis=0) for j in range(PARITY_CHUNKS)]
    return np.asarray(np.stack(parities), np.uint8)


def pack_embedded(file: Buffer) -> bytes:
    """The record of a model file. Its own check covers what stands before the file; the CRCs cover the rest."""
    if not 0 < len(file) <= MAX_CONTAINER_BYTES:
        raise LimitExceeded(f"embedded model: {len(file)} bytes, not in 1..{MAX_CONTAINER_BYTES}")
    chunks = _chunks_of(file)
    parities = _parities_of(chunks)
    writer = Writer()
    writer.u32(len(file))
    for chunk in (*chunks, *parities):
        writer.u32(zlib.crc32(chunk.tobytes()))
    body_bytes = len(writer) + len(file) + parities.size
    head = pack_frame(KIND_EMBEDDED, body_bytes) + writer.getvalue()
    return head + bytes(file) + parities.tobytes() + zlib.crc32(head).to_bytes(RECORD_CHECK_BYTES, "little")


def unpack_embedded(data: Buffer) -> tuple[bytes, bool]:
    """(the model file, whether something was damaged). Raises FormatError's children.

    A damaged record whose length is right is repaired wherever one chunk of each parity at most is damaged. A file with
    more damage is given as it is: it has checks of its own.
    """
    view = memoryview(data).cast("B")
    file_bytes = _file_bytes(view)
    count = -(-file_bytes // CHUNK_BYTES)
    table_bytes = 4 * (count + PARITY_CHUNKS)
    frame_bytes = len(view) - RECORD_CHECK_BYTES - 4 - table_bytes - file_bytes - PARITY_CHUNKS * CHUNK_BYTES
    reader = Reader(view)
    frame = reader.take(frame_bytes, "embedded model")
    reader.take(4, "embedded model's bytes")
    crcs = np.frombuffer(reader.take(table_bytes, "chunks' CRCs"), "<u4").tolist()
    chunks = _chunks_of(reader.take(file_bytes, "model file"))
    parities = np.frombuffer(reader.take(PARITY_CHUNKS * CHUNK_BYTES, "parities"), np.uint8).reshape(PARITY_CHUNKS, -1)
    check = reader.u32("record check")
    reader.end("embedded model")
    whole = zlib.crc32(view[: frame_bytes + 4 + table_bytes]) == check and frame[2] == KIND_EMBEDDED
    rows = np.concatenate([chunks, parities])
    whole &= all(zlib.crc32(row.tobytes()) == crc for row, crc in zip(rows, crcs, strict=True))
    if not whole:
        _repair(rows, crcs, count)
    return rows[:count].tobytes()[:file_bytes], not whole


def _file_bytes(view: memoryview) -> int:
    """From the record's length alone, which the footer knows too: every other place may be damaged."""
    if len(view) > MAX_EMBEDDED_BYTES:
        raise LimitExceeded(f"embedded model: {len(view)} bytes, at most {MAX_EMBEDDED_BYTES} allowed")
    # rest = file + 4 * ceil(file / 4096), solved for the file.
    for frame_bytes in range(4, MAX_FRAME_BYTES + 1):
        body_bytes = len(view) - frame_bytes - RECORD_CHECK_BYTES
        rest = body_bytes - 4 - PARITY_CHUNKS * (CHUNK_BYTES + 4)
        file_bytes = rest - 4 * -(-rest // (CHUNK_BYTES + 4))
        fits = file_bytes > 0 and embedded_body_bytes(file_bytes) == body_bytes
        if fits and len(pack_frame(KIND_EMBEDDED, body_bytes)) == frame_bytes:
            return file_bytes
    raise BadField(f"embedded model: no file makes a record of {len(view)} bytes")


def embedded_body_bytes(file_bytes: int) -> int:
    """The body's length for a file of so many bytes."""
    return embedded_head_bytes(file_bytes) + file_bytes + PARITY_CHUNKS * CHUNK_BYTES


def embedded_head_bytes(file_bytes: int) -> int:
    """What stands in the body before the file."""
    return 4 + 4 * (-(-file_bytes // CHUNK_BYTES) + PARITY_CHUNKS)


def _repair(rows: Bytes, crcs: list[int], count: int) -> None:
    """Rebuild damaged chunks in place: the model file's own checks say whether all of them were found."""
    for j in range(PARITY_CHUNKS):
        members = [*range(j, count, PARITY_CHUNKS), count + j]
        damage = np.bitwise_xor.reduce(rows[members], axis=0)
        if not damage.any():  # all whole: where a CRC does not match, it is the CRC that is damaged
            continue
        suspects = [k for k in members if zlib.crc32(rows[k].tobytes()) != crcs[k]]
        rebuilt = [k for k in suspects if zlib.crc32((rows[k] ^ damage).tobytes()) == crcs[k]]
        for k in (rebuilt or (suspects if len(suspects) == 1 else []))[:1]:
            rows[k] ^= damage
