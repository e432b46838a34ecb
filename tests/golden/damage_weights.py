"""Models whose packed analysis weights are damaged, by name, as in damage.py."""

import struct
import zlib

from vaecodec.bitstream.container import pack_container, unpack_container


def tensor(
    *,
    name: bytes = b"w",
    width: int = 1,
    shape: tuple[int, ...] = (2, 3),
    scale: tuple[float, ...] = (0.5, 0.25),
    numbers: bytes = bytes([1, 2, 3, 254, 255, 0]),
    coded: bytes | None = None,
) -> bytes:
    """One tensor, written out by hand: docs/format.md, section 16."""
    head = bytes([len(name)]) + name + bytes([width, len(shape)]) + struct.pack(f"<{len(shape)}I", *shape)
    return head + struct.pack(f"<{len(scale)}f", *scale) + _with_length(deflated(numbers) if coded is None else coded)


def deflated(data: bytes) -> bytes:
    """A raw DEFLATE stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _with_length(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def section(*tensors: bytes, count: int | None = None) -> bytes:
    """The tensors behind their number."""
    return struct.pack("<H", len(tensors) if count is None else count) + b"".join(tensors)


WHOLE = section(tensor())
DAMAGED = {
    "LimitExceeded-model-weights-1025-tensors": section(tensor(), count=1025),
    "LimitExceeded-model-weights-numbers": section(tensor(shape=(1, 1 << 24, 2), scale=(1,))),
    "LimitExceeded-model-weights-numbers-together": section(
        tensor(), tensor(name=b"v", shape=(1, 1 << 24), scale=(1,))
    ),
    "BadField-model-weights-a-side-of-0": section(tensor(shape=(2, 0))),
    "BadField-model-weights-width-3": section(tensor(width=3)),
    "BadField-model-weights-no-dimensions": section(tensor(shape=(), scale=())),
    "BadField-model-weights-9-dimensions": section(tensor(shape=(2, 3, 1, 1, 1, 1, 1, 1, 1))),
    "BadField-model-weights-name": section(tensor(name=b"\xff")),
    "BadField-model-weights-twice": section(tensor(), tensor()),
    "BadField-model-weights-scale-nan": section(tensor(scale=(0.5, float("nan")))),
    "BadField-model-weights-no-deflate": section(tensor(coded=b"\xff" * 9)),
    "Truncated-model-weights-count": WHOLE[:1],
    "Truncated-model-weights-scales": section(tensor(shape=(1 << 20, 3))),
    "Truncated-model-weights-tensor": section(tensor(), count=2),
    "Truncated-model-weights-numbers": section(tensor(numbers=bytes(5))),
    "Truncated-model-weights-deflate": section(tensor(coded=deflated(bytes(6))[:-1])),
    "TrailingData-model-weights-behind": WHOLE + b"\0",
    "TrailingData-model-weights-numbers": section(tensor(numbers=bytes(7))),
    "TrailingData-model-weights-bomb": section(tensor(numbers=bytes(1 << 20))),
    "TrailingData-model-weights-deflate": section(tensor(coded=deflated(bytes(6)) + b"\0")),
}


def damaged_weights(good: bytes) -> dict[str, bytes]:
    """Made of a sound model without packed weights."""
    meta, views = unpack_container(good)
    sections = {name: bytes(view) for name, view in views.items()}
    return {
        name: pack_container(meta, {**sections, "encode/analysis.weights": weights})
        for name, weights in DAMAGED.items()
    }
