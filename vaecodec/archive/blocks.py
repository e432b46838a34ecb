"""Blocks: reads, verifies and decodes blocks, and keeps the symbols of those used last.

    number ──directory──> block ──SymbolDecoder──> symbols (count, n) ──synthesis──> pixels
                                                   kept, 1 to 4 bytes each            made on demand
                                ──exact─────────────────────────────────────────────> pixels, kept deflated
                                ──photographs──> their streams, kept ──────────────> pixels, made on demand

A coder stream can be decoded from its start only, so a block's images are decoded together, but for stored ones; what
is kept is small enough that an epoch of shuffled reading decodes each block once.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.archive.directory import Directory, Span
from vaecodec.archive.lossless_blocks import BlockPayload, DeflatedImages, decode_exact, decode_stored
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.moved import MovedBlocks
from vaecodec.archive.photographs import streams_of
from vaecodec.archive.source import Source
from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.archive.block import Block, names_of_damaged, numbers_of_whole, unpack_block
from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.bitstream.picture_stream import unpack_picture
from vaecodec.bitstream.stream import CODED_EXACTLY
from vaecodec.codec.codec import Codec
from vaecodec.codec.special import special_picture
from vaecodec.codec.windows_of_streams import window_of
from vaecodec.entropy.coder import SymbolDecoder
from vaecodec.errors import BadField, FormatError, NotCanonical

if TYPE_CHECKING:
    from vaecodec.bitstream.window import Window
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.picture import Picture

Integers = npt.NDArray[np.int8] | npt.NDArray[np.int16] | npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBlock:
    """The images of a block. Lossy ones are kept as symbols (count, n), in the smallest integer type that holds them,
    levels (count,), and sizes as in Block; exact ones as pixels, an image (h, w) each, and no symbols; photographs as
    their streams. labels: int64 (count, columns), None without. windows as in Block. pixels may leave places empty, of
    images that were not decoded."""

    codec: AnyCodec
    symbols: Integers
    levels: tuple[int, ...]
    sizes: tuple[Size, ...] | None
    pixels: Sequence[Pixels] = ()
    streams: tuple[bytes, ...] = ()
    labels: npt.NDArray[np.int64] | None = None
    windows: tuple[Window, ...] | None = None

    def window(self, row: int) -> Window | None:
        """Of an image."""
        if self.streams:
            return window_of(self.streams[row])
        return None if self.windows is None else self.windows[row]

    def to_keep(self) -> DecodedBlock:
        """The same in the form in which it is kept."""
        return replace(self, pixels=DeflatedImages(self.pixels)) if self.pixels else self

    @property
    def kept_bytes(self) -> int:
        """What it takes to keep it, in that form."""
        labels = 0 if self.labels is None else self.labels.nbytes
        pixels = self.pixels.nbytes if isinstance(self.pixels, DeflatedImages) else 0
        return self.symbols.nbytes + pixels + sum(map(len, self.streams)) + labels

    def images(self) -> list[Pixels]:
        """All of them."""
        return images_of([(self, row) for row in range(max(len(self.pixels), len(self.levels), len(self.streams)))])


def decode_block(block: Block, codec: AnyCodec) -> DecodedBlock:
    """Raises FormatError's children, ModelMismatch, where the block does not fit its model."""
    if block.codings.is_streams == isinstance(codec, Codec):
        raise BadField(f"block: coding {block.codings.each[0]}, which {codec.model.name} does not have")
    if not isinstance(codec, Codec):
        streams = streams_of(block, codec)
        return DecodedBlock(
            codec, np.empty((0, 0), np.int8), (), None, streams=streams, labels=block.labels, windows=block.windows
        )
    _check_sizes(block, codec)
    levels, codings = codec.model.levels, block.codings
    if codings.is_exact:
        return _decode_exact(block, codec)
    if max(codings.each) >= len(levels):
        raise BadField(f"block: level {max(codings.each)}, {codec.model.name} has {len(levels)}")
    decoder = SymbolDecoder(block.payload)
    if codec.lossy.groups is not None:
        symbols = np.stack([codec.lossy.groups.decode_from(decoder) for _ in codings.each])
    else:
        symbols = np.stack([decoder.decode(levels[coding].tables) for coding in codings.each])
    decoder.finish()
    return DecodedBlock(codec, _compact(symbols), codings.each, block.sizes, labels=block.labels, windows=block.windows)


def _decode_exact(block: Block, codec: Codec) -> DecodedBlock:
    if not codec.model.has_lossless:
        raise BadField(f"block: coding {max(block.codings.each)}, {codec.model.name} has no lossless part")
    pixels = decode_exact(codec.lossless, BlockPayload(block.codings, block.payload), _sizes(block, codec))
    return DecodedBlock(codec, np.empty((0, 0), np.int8), (), None, pixels, labels=block.labels, windows=block.windows)


def decode_apart(block: Block, codec: AnyCodec, rows: Sequence[int]) -> DecodedBlock | None:
    """The images at these places alone, where they need none of the others: stored ones. None where they do.

    Raises FormatError's children.
    """
    codings = block.codings
    coded = [k for k, coding in enumerate(codings.each) if coding in CODED_EXACTLY]
    if not isinstance(codec, Codec) or not codec.model.has_lossless or not coded or set(coded) & set(rows):
        return None
    _check_sizes(block, codec)
    stored = decode_stored(BlockPayload(codings, block.payload), _sizes(block, codec))
    pixels = [stored.get(k, np.empty((0, 0), np.uint8)) for k in range(block.count)]
    return DecodedBlock(codec, np.empty((0, 0), np.int8), (), None, pixels, labels=block.labels, windows=block.windows)


def _sizes(block: Block, codec: Codec) -> tuple[Size, ...]:
    return block.sizes or (codec.geometry,) * block.count


def _check_sizes(block: Block, codec: Codec) -> None:
    height, width = codec.geometry
    if block.sizes is not None:
        if all(size == codec.geometry for size in block.sizes):
            raise NotCanonical(f"block: size {height}x{width} is the model's own and must not be written")
        if any(size[0] > height or size[1] > width for size in block.sizes):
            raise BadField(f"block: a size exceeds the model's {height}x{width}")


def images_of(rows: Sequence[tuple[DecodedBlock, int]]) -> list[Pixels]:
    """The image of each (block, row), those of a model and level synthesised together."""
    made: list[Pixels] = [np.empty(0, np.uint8)] * len(rows)
    groups: dict[tuple[int, int], list[int]] = {}
    for place, (block, row) in enumerate(rows):
        if block.pixels:
            made[place] = block.pixels[row].copy()
        elif block.streams:
            made[place] = block.codec.decompress(block.streams[row])
        else:
            groups.setdefault((id(block.codec), block.levels[row]), []).append(place)
    for (_, level), places in groups.items():
        codec = rows[places[0]][0].codec
        assert isinstance(codec, Codec)  # no photograph's, which has streams
        symbols = np.stack([rows[k][0].symbols[rows[k][1]] for k in places]).astype(np.int32)
        for k, image in zip(places, codec.lossy.synthesise(symbols, level), strict=True):
            block, row = rows[k]
            made[k] = codec.frame.cropped(image, None if block.sizes is None else block.sizes[row])
    return made


def _picture(block: DecodedBlock, row: int) -> Picture:
    if block.streams and not isinstance(block.codec, Codec):
        return block.codec.decompress_picture(block.streams[row])
    return special_picture(images_of([(block, row)])[0], block.window(row))


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
        self._moved = MovedBlocks(source, directory)
        self._moved_to: dict[int, Span] = {}

    def read(self, k: int) -> Block:
        """Block number k of the directory, verified. Raises FormatError's children."""
        last = self._last
        if last is not None and last[0] == k:
            return last[1]
        try:
            block = self._read_where_it_stands(k)
        except FormatError:
            own = self._directory.numbers_in_file(k)
            stands_here = numbers_of_whole(self.raw(k), self._directory.fingerprint_of) == own
            moved = None if stands_here else self._moved.find(k)
            if moved is None:
                raise
            self._moved_to[k] = moved
            block = self._read_where_it_stands(k)
        self._last = (k, block)  # names and labels are asked for one by one
        return block

    def _read_where_it_stands(self, k: int) -> Block:
        block = unpack_block(self.raw(k), self._directory.fingerprint_of)
        if (block.first, block.count) != self._directory.numbers_in_file(k):
            raise BadField(f"block {k}: has images {block.first}+{block.count}, the index says otherwise")
        return block

    def is_moved(self, k: int) -> bool:
        """Whether block number k was read at another place than the index says."""
        return k in self._moved_to

    def names_of_lost(self, k: int) -> tuple[str, ...] | None:
        """The names of a block that read() refuses, by their own check; None where they are damaged or another's."""
        try:
            data = self.raw(k)
        except FormatError:  # its file is cut, or gone
            return None
        names, own = names_of_damaged(data), self._directory.numbers_in_file(k)
        others = numbers_of_whole(data, self._directory.fingerprint_of) not in {None, own}
        return names if names is not None and len(names) == own[1] and not others else None

    def forget(self) -> None:
        """Give back what is kept."""
        with self._lock:
            self._kept.clear()
            self._kept_bytes, self._last = 0, None

    def raw(self, k: int) -> bytes:
        """The bytes of block number k."""
        place = (int(self._directory.offsets[k]), int(self._directory.lengths[k]))
        return self._source.read(*self._moved_to.get(k, place))

    def decoded(self, k: int, rows: Sequence[int] = ()) -> DecodedBlock:
        """The symbols or pixels of block number k; if only some rows are asked for, at least those.

        Raises FormatError's children, ModelNotFound.
        """
        if self._process != os.getpid():  # a fork may have copied a lock that a thread of the parent's holds
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            kept = self._kept.get(k)
            if kept is not None:
                self._kept.move_to_end(k)
                return kept
        block = self.read(k)
        codec = self._models.codec(block.model)
        if rows and (apart := decode_apart(block, codec, rows)) is not None:
            return apart
        decoded = decode_block(block, codec)
        kept = decoded.to_keep()
        with self._lock:
            if k not in self._kept:
                self._kept[k] = kept
                self._kept_bytes += kept.kept_bytes
            while self._kept_bytes > self._cache_bytes and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= dropped.kept_bytes
        return decoded

    def shapes(self, k: int) -> set[tuple[int, ...]]:
        """The shapes (h, w) or (h, w, 3) of the images of block number k, which is read and not decoded.

        Raises FormatError's children, ModelNotFound.
        """
        block = self.read(k)
        codec = self._models.codec(block.model)
        if not isinstance(codec, Codec):
            found = [unpack_picture(stream) for stream in streams_of(block, codec)]
            return {stream.size if stream.grey else (*stream.size, 3) for stream in found}
        return {size if codec.channels == 1 else (*size, 3) for size in _sizes(block, codec)}

    def label(self, number: int) -> npt.NDArray[np.int64] | None:
        """The labels (columns,) of an image, None where it has none; of a block that is kept, nothing is read.

        Raises FormatError's children.
        """
        k = self._directory.block_of(number)
        kept = self._kept.get(k)
        labels = self.read(k).labels if kept is None else kept.labels
        row: npt.NDArray[np.int64] | None = None
        if labels is not None:
            row = labels[number - int(self._directory.firsts[k])]
        return row

    def images_lazily(self, numbers: range) -> Iterator[Pixels]:
        """The images of a block's numbers: together, but photographs one by one. Raises as decoded() does."""
        if not numbers:
            return
        streams = self.decoded(self._directory.block_of(numbers[0])).streams
        yield from (self.images([number])[0] for number in numbers) if streams else self.images(numbers)

    def pictures(self, numbers: Sequence[int]) -> Iterator[Picture]:
        """The pictures of these numbers, some at a time, photographs one by one. Raises as decoded() does."""
        for start in range(0, len(numbers), MAX_BLOCK_IMAGES):
            part = numbers[start : start + MAX_BLOCK_IMAGES]
            rows = [self._row(number) for number in part]
            if any(block.streams for block, _ in rows):
                yield from (_picture(block, row) for block, row in rows)
            else:
                for (block, row), image in zip(rows, images_of(rows), strict=True):
                    yield special_picture(image, block.window(row))

    def window(self, number: int) -> Window | None:
        """The window of an image. Raises as decoded() does."""
        block, row = self._row(number)
        return block.window(row)

    def _row(self, number: int) -> tuple[DecodedBlock, int]:
        """The block of an image, and the image's place in it."""
        k = self._directory.block_of(number)
        row = number - int(self._directory.firsts[k])
        return self.decoded(k, [row]), row

    def images(self, numbers: Sequence[int]) -> list[Pixels]:
        """The images of these numbers, in this order; each block is looked at once. Raises as decoded() does."""
        places: dict[int, list[int]] = {}  # of the numbers, by their block
        for place, number in enumerate(numbers):
            places.setdefault(self._directory.block_of(number), []).append(place)
        order: list[int] = []
        rows: list[tuple[DecodedBlock, int]] = []
        for k, here in sorted(places.items()):
            wanted = [numbers[place] - int(self._directory.firsts[k]) for place in here]
            decoded = self.decoded(k, wanted)
            rows += [(decoded, row) for row in wanted]
            order += here
        made = dict(zip(order, images_of(rows), strict=True))
        return [made[place] for place in range(len(numbers))]
