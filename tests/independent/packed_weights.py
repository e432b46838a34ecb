"""Section 16: the packed weights of an analysis. A decoder does not need them; here they are read to be checked."""

import zlib

import numpy as np
import numpy.typing as npt

from .container import Container
from .cursor import Cursor
from .refusal import Refused, require

SECTION = "analysis.weights"
MAX_WEIGHT_TENSORS = 1024
MAX_WEIGHT_NUMBERS = 1 << 24
MAX_DIMENSIONS = 8


def check(held: Container) -> None:
    """Refuses a model whose packed weights break a rule."""
    for name, section in held.sections.items():
        if name.startswith("encode/") and name.endswith(SECTION):
            read(bytes(section))


def read(section: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors by name, float32."""
    cursor, tensors, numbers = Cursor(section), dict[str, npt.NDArray[np.float32]](), 0
    count = cursor.unsigned(2, "tensors")
    require(count <= MAX_WEIGHT_TENSORS, "LimitExceeded", f"{count} tensors")
    for _ in range(count):
        name = _name(cursor)
        require(name not in tensors, "BadField", f"{name}: twice")
        width, dimensions = cursor.unsigned(1, "width"), cursor.unsigned(1, "dimensions")
        require(width in (1, 2), "BadField", f"{name}: width {width}")
        require(1 <= dimensions <= MAX_DIMENSIONS, "BadField", f"{name}: {dimensions} dimensions")
        shape = [cursor.unsigned(4, "side") for _ in range(dimensions)]
        require(min(shape) > 0, "BadField", f"{name}: shape {shape}")
        size = int(np.prod(np.array(shape, object)))
        numbers += size
        require(numbers <= MAX_WEIGHT_NUMBERS, "LimitExceeded", f"{name}: {numbers} numbers together")
        scales = np.frombuffer(cursor.take(4 * shape[0], "scales"), "<f4")
        require(bool(np.isfinite(scales).all()), "BadField", f"{name}: a scale that is not finite")
        packed = cursor.take(cursor.unsigned(4, "length"), "numbers")
        whole = _numbers(_inflated(packed, size * width), width).reshape(shape)
        per_channel = scales.astype(np.float64).reshape(-1, *[1] * (dimensions - 1))
        tensors[name] = (whole * per_channel).astype(np.float32)
    cursor.end("weights")
    return tensors


def _name(cursor: Cursor) -> str:
    data = cursor.take(cursor.unsigned(1, "length of a name"), "name")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("BadField", "a name that is not UTF-8") from error


def _inflated(packed: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(-15)
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise Refused("BadField", f"no DEFLATE stream: {error}") from error
    require(len(data) <= size and not stream.unused_data, "TrailingData", "numbers")
    require(len(data) == size and stream.eof, "Truncated", "numbers")
    return data


def _numbers(data: bytes, width: int) -> npt.NDArray[np.int64]:
    if width == 1:
        return np.frombuffer(data, np.int8).astype(np.int64)
    low, high = np.frombuffer(data, np.uint8).astype(np.int64).reshape(2, -1)
    folded = low | high << 8
    return np.where(folded % 2, -(folded + 1) // 2, folded // 2)
