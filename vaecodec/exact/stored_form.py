"""Integer-exact networks in a model file: a description of each operation in the header, its arrays in sections.

ExactNetwork ──pack_network──> [{"op": "dense", "sources": [0]}, …], {"PREFIX0/weight": bytes, …}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import OPS, Op

Sections = dict[str, bytes]
MAX_NUMBER = 1 << 31  # of the description: every field of every operation is far below it


def pack_network(network: ExactNetwork, prefix: str) -> tuple[list[dict[str, Any]], Sections]:
    """The description of the operations, and all arrays' sections, whose names begin with `prefix`."""
    described, sections = pack_ops(network.ops, prefix)
    sections |= {f"{prefix}low": pack_array(network.input_low), f"{prefix}high": pack_array(network.input_high)}
    return described, sections


def unpack_network(described: list[dict[str, Any]], sections: Mapping[str, Buffer], prefix: str) -> ExactNetwork:
    """The inverse of pack_network. Raises BadField, LimitExceeded, NotExact; KeyError for a missing section."""
    low, high = (unpack_integers(sections[f"{prefix}{name}"], name).astype(np.int32) for name in ("low", "high"))
    return ExactNetwork(low, high, unpack_ops(described, sections, prefix))


def pack_ops(ops: tuple[Op, ...], prefix: str) -> tuple[list[dict[str, Any]], Sections]:
    """The description of operations, and their arrays' sections."""
    described, sections = [], {}
    for position, op in enumerate(ops):
        entry: dict[str, Any] = {"op": op.kind, "sources": list(op.sources)}
        for name in (field.name for field in fields(op)):
            value = getattr(op, name)
            if isinstance(value, np.ndarray):
                sections[f"{prefix}{position}/{name}"] = pack_array(narrow(value))
            elif name != "sources":
                entry[name] = value
        described.append(entry)
    return described, sections


def unpack_ops(described: list[dict[str, Any]], sections: Mapping[str, Buffer], prefix: str) -> tuple[Op, ...]:
    """The inverse of pack_ops. Raises BadField; KeyError for a missing section."""
    return tuple(_unpack_op(k, entry, sections, prefix) for k, entry in enumerate(described))


def narrow(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array in the first of int8, uint8, int16 and int32 that holds its values."""
    whole = array.astype(np.int64)
    for dtype in (np.int8, np.uint8, np.int16, np.int32):
        limits = np.iinfo(dtype)
        if limits.min <= whole.min(initial=0) and whole.max(initial=0) <= limits.max:
            return whole.astype(dtype)
    raise BadField("array: values beyond int32")


def _unpack_op(position: int, entry: dict[str, Any], sections: Mapping[str, Buffer], prefix: str) -> Op:
    if entry["op"] not in OPS:
        raise BadField(f"operation {position}: unknown kind {entry['op']!r}; there are: {', '.join(OPS)}")
    kind = OPS[entry["op"]]
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(kind)):
        where = f"operation {position}: {name}"
        if name == "sources":
            values[name] = tuple(_number(source, where) for source in entry[name])
        elif name in entry:
            values[name] = _number(entry[name], where)
        else:
            array = unpack_integers(sections[f"{prefix}{position}/{name}"], where)
            values[name] = array if name == "shift" else array.astype(np.float32)
    return kind(**values)


def _number(value: Any, where: str) -> int:
    if type(value) is not int or abs(value) > MAX_NUMBER:
        raise BadField(f"{where} must hold whole numbers of at most 2^31, found {value!r}")
    return value


def unpack_integers(data: Buffer, where: str) -> npt.NDArray[Any]:
    """The array of a section; BadField unless it holds integers."""
    array = unpack_array(data)
    if array.dtype.kind not in "iu":
        raise BadField(f"{where} must hold integers, found {array.dtype}")
    return array
