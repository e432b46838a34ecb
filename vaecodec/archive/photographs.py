"""Photographs in an archive: each is coded when it comes, and a block holds their streams of version 2.

photograph ──PhotographCodec.code──> PendingStream, PendingStream, … ──stream_block──> Block
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.bitstream.archive.block import Block, pack_streams, unpack_streams
from vaecodec.bitstream.archive.codings import CODING_STREAMS, Codings
from vaecodec.bitstream.archive.columns import pack_names
from vaecodec.bitstream.archive.limits import MAX_BLOCK_BYTES
from vaecodec.errors import LimitExceeded, TargetMissed

if TYPE_CHECKING:
    from vaecodec.codec.photograph import PhotographCodec, PictureLike
    from vaecodec.codec.target import Target

FULL_BLOCK_BYTES = 1 << 18  # of streams: more would be lost together where a block is damaged
MAX_STREAM_BYTES = MAX_BLOCK_BYTES - (1 << 20)  # the rest is for names and labels


@dataclass(frozen=True, slots=True)
class PendingStream:
    """A photograph that is coded. mse: of what its stream decodes to. name; labels: a row of them."""

    stream: bytes
    mse: float
    name: str | None
    labels: tuple[int, ...] | None


def code_photograph(
    codec: PhotographCodec,
    image: PictureLike,
    target: Target,
    *,
    number: int,
    name: str | None,
    labels: tuple[int, ...] | None,
) -> PendingStream:
    """number: of the image in the archive. Raises what codec.code() raises, and LimitExceeded."""
    said = f"image {number}" if name is None else f"image {number} ({name})"
    try:
        coded = codec.code(image, target)
    except TargetMissed as error:
        raise TargetMissed(f"{said}: {error}") from error
    if len(coded.stream) > MAX_STREAM_BYTES:
        raise LimitExceeded(f"{said}: {len(coded.stream)} bytes, at most {MAX_STREAM_BYTES} allowed in an archive")
    return PendingStream(coded.stream, coded.mse, name, labels)


def is_full(items: Sequence[PendingStream]) -> bool:
    """Whether the next photograph begins another block."""
    return sum(len(item.stream) for item in items) >= FULL_BLOCK_BYTES


def stream_block(items: Sequence[PendingStream], model: int, first: int) -> Block:
    """The block of these photographs, which may share one."""
    names = [item.name for item in items if item.name is not None]
    labels = [item.labels for item in items if item.labels is not None]
    return Block(
        model=model,
        first=first,
        codings=Codings((CODING_STREAMS,) * len(items)),
        sizes=None,
        labels=np.array(labels, np.int64) if labels else None,
        names=pack_names(names) if names else None,
        payload=pack_streams([item.stream for item in items]),
    )


def streams_of(block: Block, codec: PhotographCodec) -> tuple[bytes, ...]:
    """The streams of a block, each checked to be the codec's. Raises FormatError's children, ModelMismatch."""
    streams = unpack_streams(block.payload, block.count)
    for stream in streams:
        codec.receive(stream)
    return streams
