"""A stream as it comes in: its fields, checked against the model that is to decode it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_LEVEL, SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.stream import CODED_EXACTLY, Stream, unpack, verify
from vaecodec.codec.images import Frame
from vaecodec.errors import BadField, ModelMismatch, WrongType
from vaecodec.modelfile.model import Model

BYTE_FORMATS = frozenset({"B", "b", "c"})  # as memoryview calls them


@dataclass(frozen=True, slots=True)
class Received:
    """The bytes of a stream of the model at hand, and its fields."""

    data: bytes | memoryview
    stream: Stream


def streams_given(streams: Iterable[object]) -> list[bytes | memoryview]:
    """Streams in any objects that hold bytes (a bytearray, an array uint8, ...), from any iterable.

    Raises WrongType where one is no bytes.
    """
    return [data if type(data) is bytes else _bytes_of(data) for data in streams]


def _bytes_of(data: object) -> bytes | memoryview:
    try:
        view = memoryview(data)  # type: ignore[arg-type]
    except TypeError as error:
        raise WrongType(f"stream: expected bytes, found {type(data).__name__}") from error
    if view.format not in BYTE_FORMATS or view.ndim != 1:
        raise WrongType(f"stream: expected bytes, found {type(data).__name__} of another type or shape")
    return view.cast("B") if view.c_contiguous else view.tobytes()


def receive(data: bytes | memoryview, model: Model, frame: Frame) -> Received:
    """A stream of this model, checked as far as that can be done before it is decoded.

    Of one that is coded exactly only decoding shows whether it is whole. Raises FormatError's children, ModelMismatch.
    """
    stream, own = unpack(data), model.fingerprint[:SHORT_FINGERPRINT_BYTES]
    if stream.short_fingerprint != own:
        raise ModelMismatch(
            f"the stream was made with model {stream.short_fingerprint.hex()}…, {model.name} is {own.hex()}…"
        )
    if stream.coding > MAX_LEVEL and not model.has_lossless:
        raise BadField(f"coding at offset 1: {stream.coding}, {model.name} has no lossless part")
    if stream.coding not in CODED_EXACTLY:
        verify(data, model.fingerprint)
    frame.check_written(stream.size)
    return Received(data, stream)
