"""Files made to cost more than they should: large claims behind right checks, as far as the limits let them through.

(target of targets.py, bytes) by what they claim; each byte string begins as that target wants it.
"""

import zlib

import numpy as np

from tests.fuzz import samples
from tests.independent import arrays, container, writing
from tests.independent.mutants_of_pictures import deflated, uvarint
from vaecodec.bitstream.archive.record import pack_header
from vaecodec.bitstream.picture_stream import pack_picture

SEALED = b"\0"  # the target makes checks right, and takes the first of its models


def hostile_files() -> dict[str, tuple[str, bytes]]:
    """By what each claims."""
    return {**hostile_archives(), **hostile_pictures(), **hostile_models(), **hostile_data()}


def hostile_archives() -> dict[str, tuple[str, bytes]]:
    """Records that are none, lengths that nothing has."""
    head = pack_header()
    return {
        "archive of a megabyte of false records": ("archive", b"\1" + head + b"\xb7\x3a\0" * 349_525),
        "archive of false blocks that overlap": ("archive", b"\1" + head + b"\xb7\x3a\x80\xff\xff\x03" * 170_000),
        "archive of footers that are cut": ("archive", b"\1" + head + b"\xb7\x3a\x05\x90\x4e" * 200_000),
        "archive of trailers": ("archive", b"\1" + head + (bytes(8) + bytes(4) + b"VAZ\1") * 60_000),
    }


def hostile_pictures() -> dict[str, tuple[str, bytes]]:
    """Sizes, chunks and alpha that a few bytes promise."""
    fingerprint = samples.photograph_codec().fingerprint

    def picture(size: tuple[int, int], **more: object) -> bytes:
        regions = -(-size[0] // 2048) * -(-size[1] // 2048)
        return pack_picture(0, fingerprint, size, [b""] * regions, **more)

    chunk = uvarint(2 * len(bomb := deflated(bytes(1 << 24), 9)) + 1) + bomb
    plain = picture((16, 16))
    three = plain[:4] + bytes([4 + 8 + 16]) + plain[5:9] + chunk * 3 + plain[9:-4]
    large = picture((16384, 16384))
    alpha = b"\0" + deflated(bytes((1 << 28) - 1) + b"\1", 9)
    covered = large[:4] + b"\2" + large[5:-4]
    covered = covered[: 9 + 63] + uvarint(2 * len(alpha)) + alpha + covered[9 + 63 :]
    check = zlib.crc32(covered, zlib.crc32(fingerprint)).to_bytes(4, "little")
    sealed = zlib.crc32(three, zlib.crc32(fingerprint)).to_bytes(4, "little")
    return {
        "picture of 2^28 pixels without payloads": ("whole-picture", large),
        "picture of 65535x65535 pixels without payloads": ("whole-picture", picture((65535, 65535))),
        "picture of one region without a payload": ("whole-picture", picture((2048, 2048))),
        "picture of 65535x1 pixels without payloads": ("whole-picture", picture((65535, 1))),
        "picture with three chunks of 16 MB": ("whole-picture", three + sealed),
        "picture with alpha of 2^28 pixels": ("whole-picture", covered + check),
    }


def hostile_models() -> dict[str, tuple[str, bytes]]:
    """Tables, networks and headers as large as the limits allow, or larger."""
    held = container.read(samples.model_files()["levels"])
    return {
        "model of tables of 2^24 entries": ("model", SEALED + _with_tables(held, 36)),
        "model of tables beyond the limit": ("model", SEALED + _with_tables(held, 1024)),
        "model of a header of nested lists": ("model", SEALED + writing.framed(b"[" * 500_000 + b"]" * 500_000, b"")),
        "model of a network of 2^22 values": ("model", SEALED + _with_network(2, 21)),
        "model of a network of 2^24 results": ("model", SEALED + _with_network(60, 18)),
        "model of 2^25 weights": ("model", SEALED + _with_network(3, 12, wide=1 << 13)),
        "model of 256 operations of 2^20 values": ("model", SEALED + _with_network(256, 20)),
    }


def _with_tables(held: container.Container, latents: int) -> bytes:
    """112 packed levels of collapsed latents, each with the widest alphabet."""
    sections = {n: s for n, s in held.sections.items() if not n.startswith(("decode/level/", "encode/level/"))}
    meta = {**held.meta, "decode": {**held.meta["decode"], "levels": 112}}
    meta["encode"] = {"betas": [1.0] * 112}
    tables = {
        "offsets": np.zeros(latents, np.int32),
        "coded": np.zeros(latents, np.uint8),
        "alphabet": np.array([4096], np.uint16),
        "windows": np.empty((0, 2), np.uint16),
        "counts": np.empty(0, np.uint32),
    }
    for level in range(112):
        sections |= {f"decode/level/{level}/{name}": writing.array(array) for name, array in tables.items()}
    return writing.container(meta, sections)


def _with_network(operations: int, log_values: int, wide: int = 0) -> bytes:
    """A model of mini's latents whose synthesis adds 2^log_values values to themselves, again and again.

    wide: inputs of the first product, if they are others than the latents.
    """
    held = container.read(samples.model_files()["mini"])
    sections = {n: s for n, s in held.sections.items() if not n.startswith("decode/synthesis/")}
    for field in ("low", "high"):
        name = f"decode/synthesis/{field}"
        sections[name] = writing.array(arrays.read(held.sections[name], field))
    inputs = wide or len(arrays.read(held.sections["decode/synthesis/low"], "low"))
    sections["decode/synthesis/0/weight"] = writing.array(np.zeros((1 << log_values, inputs), np.int8))
    sections["decode/synthesis/0/bias"] = writing.array(np.zeros(1 << log_values, np.int8))
    side = 1 << log_values // 2
    steps = [{"op": "add", "sources": [k, k]} for k in range(1, operations - 1)]
    shaped = {"op": "reshape", "sources": [operations - 1], "height": (1 << log_values) // side, "width": side}
    meta = {**held.meta, "decode": {**held.meta["decode"], "height": (1 << log_values) // side, "width": side}}
    meta["decode"]["synthesis"] = [{"op": "dense", "sources": [0]}, *steps, shaped]
    return writing.container(meta, sections)


def hostile_data() -> dict[str, tuple[str, bytes]]:
    """Headers of data sets that promise gigabytes."""
    idx = bytes((0, 0, 8, 3))
    return {
        "IDX of 2^29 bytes": ("idx", idx + b"".join(side.to_bytes(4, "big") for side in (512, 1024, 1024))),
        "IDX of 2^96 bytes": ("idx", idx + b"\xff" * 12),
    }
