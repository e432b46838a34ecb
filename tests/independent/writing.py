"""Writes containers and arrays as the page says, so that damage to a model file gets behind its hashes (sections 8, 9).

meta, sections --> bytes      array --> bytes
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import canonical_json
from tests.independent.container import ALIGNMENT, MAGIC, VERSION

_CODES = {"|u1": 1, "|i1": 2, "<u2": 3, "<i2": 4, "<u4": 5, "<i4": 6, "<i8": 7, "<f2": 8, "<f4": 9, "<f8": 10}


def container(meta: Any, sections: Mapping[str, bytes]) -> bytes:
    """The container of these sections, in the order of their names."""
    listed = []
    body = b""
    for name in sorted(sections):
        body += bytes(-len(body) % ALIGNMENT)
        digest = hashlib.sha256(sections[name]).hexdigest()
        listed.append({"name": name, "offset": len(body), "sha256": digest, "size": len(sections[name])})
        body += sections[name]
    return framed(canonical_json.write({"meta": meta, "sections": listed}), body)


def framed(header: bytes, body: bytes) -> bytes:
    """A container of any header's bytes and what follows their padding."""
    start = MAGIC + VERSION.to_bytes(2, "little") + len(header).to_bytes(4, "little")
    start += hashlib.sha256(header).digest() + header
    return start + bytes(-len(start) % ALIGNMENT) + body


def array(values: NDArray) -> bytes:
    """A section's bytes."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    head = bytes([_CODES[little.dtype.str], values.ndim])
    return head + b"".join(side.to_bytes(4, "little") for side in values.shape) + little.tobytes()


def narrowest(values: NDArray) -> bytes:
    """A section's bytes, in the first of four dtypes that holds the values."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for dtype in (np.int8, np.uint8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return array(values.astype(dtype))
    raise ValueError(f"values of {low} to {high} fit no dtype")
