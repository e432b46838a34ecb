"""Images that wait for their block to be full, and the block that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.archive_block import Block
from vaecodec.bitstream.archive_columns import pack_names
from vaecodec.entropy.coder import SymbolEncoder
from vaecodec.errors import BadField
from vaecodec.runtime.codec import Codec, Pixels

Label = int | Sequence[int] | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PendingImage:
    """pixels uint8 (h, w), the level it is to be coded at, its name, its labels (one for each column)."""

    pixels: Pixels
    level: int
    name: str | None
    labels: tuple[int, ...] | None


def may_share_a_block(a: PendingImage, b: PendingImage) -> bool:
    """A block has names for all of its images or for none, and labels of as many columns."""
    columns = [None if item.labels is None else len(item.labels) for item in (a, b)]
    return (a.name is None) == (b.name is None) and columns[0] == columns[1]


def label_row(label: Label | None) -> tuple[int, ...] | None:
    """One integer or several as a row. Raises BadField for what is no integer, or beyond int64."""
    if label is None:
        return None
    array = np.atleast_1d(np.asarray(label))
    if array.dtype.kind not in "iub" or array.ndim != 1 or not len(array):
        raise BadField(f"label {label!r}: expected an integer or a row of integers")
    values = tuple(int(value) for value in array)
    if not all(-(1 << 63) <= value < 1 << 63 for value in values):
        raise BadField(f"label {label!r}: beyond int64")
    return values


def encode_block(items: Sequence[PendingImage], codec: Codec, model: int, first: int) -> Block:
    """The block of these images, which may share one: one coder stream, image after image."""
    symbols = np.empty((len(items), codec.model.latents), np.int32)
    for level in sorted({item.level for item in items}):
        rows = [k for k, item in enumerate(items) if item.level == level]
        symbols[rows] = codec.analyse(np.stack([codec.padded(items[k].pixels) for k in rows]), level)
    encoder = SymbolEncoder()
    for item, row in zip(items, symbols, strict=True):
        encoder.encode(row, codec.model.levels[item.level].tables)
    sizes = tuple((item.pixels.shape[0], item.pixels.shape[1]) for item in items)
    names = [item.name for item in items if item.name is not None]
    labels = [item.labels for item in items if item.labels is not None]
    return Block(
        model=model,
        first=first,
        codings=tuple(item.level for item in items),
        sizes=None if all(size == codec.geometry for size in sizes) else sizes,
        labels=np.array(labels, np.int64) if labels else None,
        names=pack_names(names) if names else None,
        payload=encoder.finish(),
    )
