"""The analysis as it lies in a model file: an ONNX graph without its large weights, and these weights, packed.

Weights ──scale, whole numbers──pack_weights──> section encode/analysis.weights
        <────────────────────unpack_weights───
graph, weights ──with_weights──> one ONNX graph, which ONNX Runtime loads

Nothing is unpacked before an image is compressed. docs/format.md, section 16, says what the section holds.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_ARRAY_DIMENSIONS, MAX_WEIGHT_NUMBERS, MAX_WEIGHT_TENSORS
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.errors import BadField, LimitExceeded, TrailingData, Truncated

WIDTHS = (1, 2)  # bytes of a number
DEFLATE = -15  # zlib's sign for a raw stream (RFC 1951), without its header and sum: sections have a SHA-256

Numbers = npt.NDArray[np.int8] | npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis graph (ONNX) and its packed weights.

    weights: a section as pack_weights() makes it, or empty where the graph has all its weights in it. A graph that is
    empty is that of a model which only decodes.
    """

    graph: bytes
    weights: bytes = b""

    @classmethod
    def stored(cls, sections: Mapping[str, Buffer], prefix: str) -> Analysis:
        """The one whose sections' names begin with the prefix. Raises KeyError where there is no graph."""
        return cls(bytes(sections[f"{prefix}analysis.onnx"]), bytes(sections.get(f"{prefix}analysis.weights", b"")))

    def sections(self, prefix: str) -> dict[str, bytes]:
        """The inverse of stored()."""
        packed = {f"{prefix}analysis.weights": self.weights} if self.weights else {}
        return {f"{prefix}analysis.onnx": self.graph, **packed}

    def whole(self) -> bytes:
        """The ONNX graph with every weight in it. Raises FormatError's children."""
        return with_weights(self.graph, unpack_weights(self.weights)) if self.weights else self.graph

    def check(self) -> None:
        """Raises FormatError's children where the weights cannot be unpacked."""
        if self.weights:
            unpack_weights(self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """One tensor of the graph in whole numbers.

    numbers: int8 or int16, (channels, ...). scale: float32 (channels,), finite. The weights are scale · numbers.
    """

    name: str
    numbers: Numbers
    scale: npt.NDArray[np.float32]

    @property
    def floats(self) -> npt.NDArray[np.float32]:
        """The weights, each product rounded once to float32."""
        scale = self.scale.reshape(-1, *(1,) * (self.numbers.ndim - 1))
        return np.asarray(self.numbers.astype(np.float32) * scale, np.float32)


def pack_weights(tensors: Sequence[Weights]) -> bytes:
    """The section of these tensors."""
    writer = Writer()
    writer.u16(len(tensors))
    for tensor in tensors:
        name = tensor.name.encode()
        writer.u8(len(name))
        writer.raw(name)
        writer.u8(tensor.numbers.itemsize)
        writer.u8(tensor.numbers.ndim)
        for side in tensor.numbers.shape:
            writer.u32(side)
        writer.raw(tensor.scale.astype("<f4").tobytes())
        coded = deflated(_planes(tensor.numbers))
        writer.u32(len(coded))
        writer.raw(coded)
    return writer.getvalue()


def unpack_weights(data: Buffer) -> list[Weights]:
    """The inverse of pack_weights. Raises BadField, LimitExceeded, Truncated, TrailingData."""
    reader = Reader(data)
    count = reader.u16("number of tensors")
    if count > MAX_WEIGHT_TENSORS:
        raise LimitExceeded(f"analysis weights: {count} tensors, at most {MAX_WEIGHT_TENSORS} allowed")
    tensors, left = [], MAX_WEIGHT_NUMBERS
    for _ in range(count):
        tensors.append(_take_tensor(reader, left))
        left -= tensors[-1].numbers.size
    reader.end("analysis weights")
    if len({tensor.name for tensor in tensors}) != count:
        raise BadField("analysis weights: two tensors have the same name")
    return tensors


def _take_tensor(reader: Reader, most: int) -> Weights:
    """most: how many numbers the tensor may have."""
    try:
        name = str(reader.take(reader.u8("length of a name"), "name of a tensor"), "utf-8")
    except UnicodeDecodeError as error:
        raise BadField(f"analysis weights: the name before offset {reader.offset} is not UTF-8") from error
    width, dimensions = reader.u8("width"), reader.u8("number of dimensions")
    if width not in WIDTHS or not 1 <= dimensions <= MAX_ARRAY_DIMENSIONS:
        raise BadField(f"tensor {name!r}: {dimensions} dimensions, numbers of {width} bytes")
    shape = tuple(reader.u32("dimension") for _ in range(dimensions))
    size = math.prod(shape)
    if not size:
        raise BadField(f"tensor {name!r}: of shape {shape}, which holds nothing")
    if size > most:
        raise LimitExceeded(f"tensor {name!r}: {size} numbers, at most {MAX_WEIGHT_NUMBERS} allowed in a model")
    scale = np.frombuffer(reader.take(4 * shape[0], f"scales of {name!r}"), "<f4").astype(np.float32)
    if not np.isfinite(scale).all():
        raise BadField(f"tensor {name!r}: a scale is not finite")
    coded = reader.take(reader.u32("length of coded numbers"), f"numbers of {name!r}")
    return Weights(name, _from_planes(inflated(coded, size * width, name), width).reshape(shape), scale)


def _planes(numbers: Numbers) -> bytes:
    """Two bytes are stored as 0, -1, 1, -2 … → 0, 1, 2, 3 …, the low ones first and then the high ones, mostly 0."""
    if numbers.itemsize == 1:
        return numbers.tobytes()
    wide = numbers.astype(np.int32).ravel()
    folded = ((wide << 1) ^ (wide >> 31)).astype(np.uint16)
    return (folded & 255).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()


def _from_planes(data: bytes, width: int) -> Numbers:
    """The inverse of _planes, flat."""
    if width == 1:
        return np.frombuffer(data, np.int8)
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.int32)
    folded = low | high << 8
    return np.asarray((folded >> 1) ^ -(folded & 1), np.int16)


def deflated(data: bytes) -> bytes:
    """The shorter of DEFLATE's two ways: weights have no repetitions to find, but high bytes have runs of zeros."""
    tried = []
    for strategy in (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE):
        packer = zlib.compressobj(9, zlib.DEFLATED, DEFLATE, 9, strategy)
        tried.append(packer.compress(data) + packer.flush())
    return min(tried, key=len)


def inflated(coded: memoryview, size: int, name: str) -> bytes:
    """The inverse: exactly `size` bytes of the tensor of that name, and never more are made.

    Raises BadField, Truncated, TrailingData.
    """
    unpacker = zlib.decompressobj(DEFLATE)
    try:
        data = unpacker.decompress(coded, size + 1)
    except zlib.error as error:
        raise BadField(f"tensor {name!r}: its numbers are not a DEFLATE stream: {error}") from error
    if len(data) > size:
        raise TrailingData(f"tensor {name!r}: its numbers go on behind the {size} bytes of its shape")
    if len(data) < size or not unpacker.eof:
        raise Truncated(f"tensor {name!r}: its numbers end after {len(data)} bytes, its shape has {size}")
    if unpacker.unused_data:
        raise TrailingData(f"tensor {name!r}: {len(unpacker.unused_data)} bytes follow the end of its numbers")
    return data


# ONNX is protobuf: a message that is written in two pieces is their fields together (protobuf's encoding, "Last One
# Wins"), so that initialisers can follow the graph. Numbers of fields: onnx.proto3.
MODEL_GRAPH, GRAPH_INITIALIZER = 7, 5
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW_DATA = 1, 2, 8, 9
TYPE_FLOAT = 1
AS_VARINT, AS_BYTES = 0, 2


def with_weights(graph: bytes, tensors: Iterable[Weights]) -> bytes:
    """An ONNX graph and these tensors as float32 initialisers of it."""
    pieces: list[Buffer] = []
    for tensor in tensors:
        data = tensor.floats.astype("<f4").tobytes()
        fields = [_field(TENSOR_DIMS, AS_VARINT, side) for side in tensor.numbers.shape]
        name = tensor.name.encode()
        fields += [_field(TENSOR_TYPE, AS_VARINT, TYPE_FLOAT), _field(TENSOR_NAME, AS_BYTES, len(name)), name]
        head = b"".join([*fields, _field(TENSOR_RAW_DATA, AS_BYTES, len(data))])
        pieces += [_field(GRAPH_INITIALIZER, AS_BYTES, len(head) + len(data)), head, data]
    return b"".join([graph, _field(MODEL_GRAPH, AS_BYTES, sum(map(len, pieces))), *pieces])


def _field(number: int, kind: int, value: int) -> bytes:
    """A field's tag and its value, or its length."""
    writer = Writer()
    writer.uvarint(number << 3 | kind)
    writer.uvarint(value)
    return writer.getvalue()
