"""Bulk: streams of one model by the hundred, as Codec writes and reads them one by one, the same bytes.

symbols (b, n) ──lanes──> payloads ──check──> streams          too few for lanes to pay: payload by payload
streams ──check──> payloads ──lanes──> symbols (b, n)          whatever is not plain: Codec.parse, in order

Lanes are imported when they are first to pay: who decompresses one stream need not wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.stream import pack
from vaecodec.entropy.coder import encode_symbols

if TYPE_CHECKING:
    from vaecodec.codec.codec import Codec, Symbols

Size = tuple[int, int] | None
MIN_LANES = 96  # fewer payloads of a level are coded one by one: a step of the lanes costs some 10 µs
LEAST_PIECE, MOST_PIECE = 512, 4096  # images that one core takes at a time: at most MAX_LANES


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """levels: int (b,); sizes: (height, width), None where it is the model's own; symbols: int32 (b, n)."""

    levels: npt.NDArray[np.intp]
    sizes: list[Size]
    symbols: Symbols


def pack_symbols(codec: Codec, symbols: Symbols, sizes: Sequence[Size], level: int) -> list[bytes]:
    """The streams of symbols (b, n) at a level."""
    tables, few = codec.model.levels[level].tables, len(symbols) < MIN_LANES
    if codec.groups is not None:
        payloads = codec.groups.encode(symbols)
    elif few:
        payloads = [encode_symbols(row, tables) for row in symbols]
    else:
        from vaecodec.entropy.lanes import encode_lanes

        payloads = encode_lanes(symbols, tables)
    if few or any(size is not None for size in sizes):
        return [pack(level, codec.fingerprint, size, data) for size, data in zip(sizes, payloads, strict=True)]
    from vaecodec.bitstream.streams import pack_plain

    return pack_plain(level, codec.fingerprint, payloads)


def parse_streams(codec: Codec, streams: Sequence[bytes | memoryview]) -> Parsed:
    """Codec.parse of each. Raises as that does, at the first stream that is bad."""
    count, symbols = len(streams), np.empty((len(streams), codec.model.latents), np.int32)
    levels, sizes = np.zeros(count, np.intp), list[Size]([None] * count)
    left = np.ones(count, np.bool_)
    if count >= MIN_LANES:
        from vaecodec.bitstream.streams import payload_of, sift
        from vaecodec.entropy.lanes import decode_lanes

        sifted = sift(streams, codec.fingerprint)
        levels, plain = sifted.level, sifted.plain & (sifted.level < len(codec.model.levels))
        for level in np.unique(levels[plain]).tolist():
            places = np.flatnonzero(plain & (levels == level))
            if len(places) >= MIN_LANES:
                payloads = [payload_of(streams[k]) for k in places.tolist()]
                if codec.groups is not None:
                    symbols[places], left[places] = codec.groups.decode(payloads), False
                    continue
                decoded, sure = decode_lanes(payloads, codec.model.levels[level].tables)
                if len(places) == count:
                    symbols = decoded
                else:
                    symbols[places] = decoded
                left[places[sure]] = False
    for k in np.flatnonzero(left).tolist():
        stream, symbols[k] = codec.parse(streams[k])
        levels[k], sizes[k] = stream.coding, stream.size
    return Parsed(levels, sizes, symbols)
