"""What a stream is and what its bits are spent on, for people who ask: decoding needs none of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.bitstream.stream import (
    CODED_EXACTLY,
    CODING_LOSSLESS,
    CODING_NEAR_LOSSLESS,
    CODING_STORED,
    CODING_STORED_BITS,
    Stream,
)
from vaecodec.codec.codec import Codec
from vaecodec.codec.received import receive

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

KIND_OF = {
    CODING_LOSSLESS: "lossless",
    CODING_NEAR_LOSSLESS: "near-lossless",
    CODING_STORED: "stored",
    CODING_STORED_BITS: "stored, a bit a pixel",
}


@dataclass(frozen=True, slots=True)
class StreamReport:
    """information_bits: -log2 P of the payload's symbols; of stored pixels their size. spent: (what, bits) of parts."""

    stream: Stream
    information_bits: float
    spent: tuple[tuple[str, float], ...]

    @property
    def kind(self) -> str:
        """In words."""
        return kind_of(self.stream)

    @property
    def level(self) -> int | None:
        """The level of a lossy stream."""
        return None if self.stream.coding in KIND_OF else self.stream.coding


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """What a stream is, of either version. level, max_error: None where the other kind says it.

    information_bits: as StreamReport's; None of a photograph's, whose payloads are not opened for it.
    """

    kind: str
    level: int | None
    max_error: int | None
    payload_bytes: int
    information_bits: float | None


def summarise(codec: AnyCodec, stream: bytes) -> StreamSummary:
    """Of a stream of the codec's model. Raises FormatError's children."""
    if not isinstance(codec, Codec):
        fields = codec.receive(stream)
        return StreamSummary("lossy", fields.level, None, sum(map(len, fields.payloads)), None)
    (found,) = report_streams(codec, [stream])
    error = found.stream.max_error if found.level is None else None
    return StreamSummary(found.kind, found.level, error, len(found.stream.payload), found.information_bits)


def kind_of(stream: Stream) -> str:
    """Its coding in words."""
    return KIND_OF.get(stream.coding, "lossy")


def report_streams(codec: Codec, streams: Sequence[bytes]) -> list[StreamReport]:
    """A report for each stream of the codec's model. Raises FormatError's children."""
    fields = [receive(data, codec.model, codec.frame).stream for data in streams]
    spent: dict[int, tuple[tuple[str, float], ...]] = {}
    for error in {stream.max_error for stream in fields if stream.coding in CODED_EXACTLY}:
        places = [k for k, s in enumerate(fields) if s.coding in CODED_EXACTLY and s.max_error == error]
        bits = codec.lossless.spent([fields[k] for k in places])
        for k, row in zip(places, np.stack([bits.latents, bits.flags, bits.values], axis=1).tolist(), strict=True):
            spent[k] = tuple(zip(("latents", "flags", "values"), row, strict=True))
    for k, stream in enumerate(fields):
        if stream.coding in KIND_OF:
            spent.setdefault(k, (("pixels", 8.0 * len(stream.payload)),))
        else:
            symbols = codec.lossy.decode_payload(stream.payload, stream.coding)
            spent[k] = (("latents", float(codec.lossy.information_bits(symbols[None], stream.coding)[0])),)
    return [StreamReport(s, sum(bits for _, bits in spent[k]), spent[k]) for k, s in enumerate(fields)]
