"""Arrays as bytes: the one encoding of every numpy array in a model file.

dtype code (u8) | number of dimensions (u8) | dimensions (u32 each) | elements, little-endian, last axis fastest
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ARRAY_BYTES, MAX_ARRAY_DIMENSIONS
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.errors import BadField, LimitExceeded

# Numbers that the format assigns: never change one, only add.
DTYPE_CODES: dict[int, str] = {
    1: "u1",
    2: "i1",
    3: "u2",
    4: "i2",
    5: "u4",
    6: "i4",
    7: "i8",
    8: "f2",
    9: "f4",
    10: "f8",
}
_CODE_OF = {np.dtype(name): code for code, name in DTYPE_CODES.items()}


def pack_array(array: npt.NDArray[Any]) -> bytes:
    """The bytes of an array of any shape. Raises BadField for a dtype without a code, LimitExceeded."""
    code = _CODE_OF.get(array.dtype.newbyteorder("="))
    if code is None:
        raise BadField(f"array: dtype {array.dtype} has no code")
    if array.ndim > MAX_ARRAY_DIMENSIONS:
        raise LimitExceeded(f"array: {array.ndim} dimensions, at most {MAX_ARRAY_DIMENSIONS} allowed")
    if array.nbytes > MAX_ARRAY_BYTES or max(array.shape, default=0) >= 1 << 32:
        raise LimitExceeded(f"array: {array.nbytes} bytes, at most {MAX_ARRAY_BYTES} allowed")
    writer = Writer()
    writer.u8(code)
    writer.u8(array.ndim)
    for side in array.shape:
        writer.u32(side)
    writer.raw(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
    return writer.getvalue()


def unpack_array(data: Buffer) -> npt.NDArray[Any]:
    """The array (a read-only copy in native byte order). Raises BadField, LimitExceeded, Truncated, TrailingData."""
    reader = Reader(data)
    code = reader.u8("array dtype")
    if code not in DTYPE_CODES:
        raise BadField(f"array dtype at offset 0: code {code} has no meaning, expected one of {sorted(DTYPE_CODES)}")
    dtype = np.dtype(DTYPE_CODES[code])
    ndim = reader.u8("array dimensions")
    if ndim > MAX_ARRAY_DIMENSIONS:
        raise LimitExceeded(f"array at offset 1: {ndim} dimensions, at most {MAX_ARRAY_DIMENSIONS} allowed")
    shape = tuple(reader.u32("array dimension") for _ in range(ndim))
    size_bytes = math.prod(shape) * dtype.itemsize
    if size_bytes > MAX_ARRAY_BYTES:
        raise LimitExceeded(f"array at offset 2: {size_bytes} bytes, at most {MAX_ARRAY_BYTES} allowed")
    elements = reader.take(size_bytes, "array elements")
    reader.end("array")
    array = np.frombuffer(elements, dtype=dtype.newbyteorder("<")).astype(dtype, copy=True)
    # An empty array may have sides that multiply to more than numpy can hold, beside a side of zero.
    try:
        array = array.reshape(shape)
    except ValueError as error:
        raise LimitExceeded(f"array at offset 2: shape {shape} is too large") from error
    array.flags.writeable = False
    return array
