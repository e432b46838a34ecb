"""Blocks: reads, verifies and decodes blocks, and keeps the symbols of those used last.

    number ──directory──> block ──SymbolDecoder──> symbols (count, n) ──synthesis──> pixels
                                                   kept, 1 to 4 bytes each            made on demand

A coder stream can be decoded from its start only, so a block's symbols are decoded together; they are small enough that
an epoch of shuffled reading decodes each block once.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.archive_block import Block, unpack_block
from vaecodec.entropy.coder import SymbolDecoder
from vaecodec.errors import BadField, NotCanonical
from vaecodec.runtime.archive_directory import Directory
from vaecodec.runtime.archive_models import ArchiveModels
from vaecodec.runtime.archive_source import Source
from vaecodec.runtime.codec import Codec, Pixels

Integers = npt.NDArray[np.int8] | npt.NDArray[np.int16] | npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBlock:
    """symbols (count, n) in the smallest integer type that holds them, codings (count,), sizes as in Block."""

    codec: Codec
    symbols: Integers
    codings: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...] | None


def decode_block(block: Block, codec: Codec) -> DecodedBlock:
    """Raises FormatError's children where the block does not fit its model."""
    levels = codec.model.levels
    if max(block.codings) >= len(levels):
        raise BadField(f"block: level {max(block.codings)}, {codec.model.name} has {len(levels)}")
    height, width = codec.geometry
    if block.sizes is not None:
        if all(size == codec.geometry for size in block.sizes):
            raise NotCanonical(f"block: size {height}x{width} is the model's own and must not be written")
        if any(size[0] > height or size[1] > width for size in block.sizes):
            raise BadField(f"block: a size exceeds the model's {height}x{width}")
    decoder = SymbolDecoder(block.payload)
    symbols = np.stack([decoder.decode(levels[coding].tables) for coding in block.codings])
    decoder.finish()
    return DecodedBlock(codec, _compact(symbols), block.codings, block.sizes)


def _compact(symbols: npt.NDArray[np.int32]) -> Integers:
    low, high = int(symbols.min(initial=0)), int(symbols.max(initial=0))
    if low >= -128 and high <= 127:
        return symbols.astype(np.int8)
    if low >= -32768 and high <= 32767:
        return symbols.astype(np.int16)
    return symbols


class Blocks:
    """The blocks of one open archive. Threads may share it; a forked child goes on with what its parent had."""

    def __init__(self, source: Source, directory: Directory, models: ArchiveModels, cache_bytes: int) -> None:
        self._source = source
        self._directory = directory
        self._models = models
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[int, DecodedBlock] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._last: tuple[int, Block] | None = None

    def read(self, k: int) -> Block:
        """Block number k of the directory, verified. Raises FormatError's children."""
        last = self._last
        if last is not None and last[0] == k:
            return last[1]
        block = unpack_block(self.raw(k), self._directory.fingerprint_of)
        if (block.first, block.count) != (int(self._directory.firsts[k]), int(self._directory.counts[k])):
            raise BadField(f"block {k}: has images {block.first}+{block.count}, the index says otherwise")
        self._last = (k, block)  # names and labels are asked for one by one
        return block

    def raw(self, k: int) -> bytes:
        """The bytes of block number k."""
        return self._source.read(int(self._directory.offsets[k]), int(self._directory.lengths[k]))

    def decoded(self, k: int) -> DecodedBlock:
        """The symbols of block number k. Raises FormatError's children, ModelNotFound."""
        if self._process != os.getpid():  # a fork may have copied a lock that a thread of the parent's holds
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            kept = self._kept.get(k)
            if kept is not None:
                self._kept.move_to_end(k)
                return kept
        block = self.read(k)
        decoded = decode_block(block, self._models.codec(block.model))
        with self._lock:
            if k not in self._kept:
                self._kept[k] = decoded
                self._kept_bytes += decoded.symbols.nbytes
            while self._kept_bytes > self._cache_bytes and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= dropped.symbols.nbytes
        return decoded

    def images(self, numbers: Sequence[int]) -> list[Pixels]:
        """The images of these numbers, in this order; each block is looked at once. Raises as decoded() does."""
        wanted = np.asarray(numbers, np.int64)
        blocks = [self._directory.block_of(number) for number in wanted.tolist()]
        made: list[Pixels] = [np.empty(0, np.uint8)] * len(blocks)
        groups: dict[tuple[int, int], list[tuple[int, DecodedBlock, int]]] = {}
        here: dict[int, DecodedBlock] = {}
        for place in sorted(range(len(blocks)), key=blocks.__getitem__):
            k = blocks[place]
            if k not in here:
                here = {k: self.decoded(k)}
            decoded = here[k]
            row = int(wanted[place] - self._directory.firsts[k])
            groups.setdefault((id(decoded.codec), decoded.codings[row]), []).append((place, decoded, row))
        for (_, level), rows in groups.items():
            symbols = np.stack([decoded.symbols[row] for _, decoded, row in rows]).astype(np.int32)
            pixels = rows[0][1].codec.synthesise(symbols, level)
            for (place, decoded, row), image in zip(rows, pixels, strict=True):
                size = None if decoded.sizes is None else decoded.sizes[row]
                made[place] = image if size is None else image[: size[0], : size[1]].copy()
        return made
