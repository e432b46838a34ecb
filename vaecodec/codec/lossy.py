"""LossyCodec: one model's lossy streams, from pixels to bytes and back.

    framed images ──analysis──> y ──quantizer──> symbols ──coder──> payloads ──pack──> streams
    (h, w) or (h, w, 3)         (b, n)           int32 (b, n)       bytes              bytes
    images <─────────synthesis───────────────────symbols <─coder─── payloads <─unpack─ streams

One image takes this way as it stands. Many are shared out to the cores in pieces, and the payloads of a piece that has
enough of them at one level are coded in lanes, all at once: the same bytes. What decompressing does not use, and what a
single image does not use, is imported where it is used: imports are most of what a command waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels, Size, Symbols
from vaecodec.bitstream.stream import pack
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.images import Frame, Framed
from vaecodec.codec.received import receive
from vaecodec.codec.synthesis import Synthesis
from vaecodec.cores import map_on_cores, pieces
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.entropy.tables import Float64
from vaecodec.errors import BadField, ModelError
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.modelfile.onnx_graph import Expected

if TYPE_CHECKING:
    from vaecodec.bitstream.stream import Stream
    from vaecodec.codec.effort import Refiner
    from vaecodec.codec.groups import GroupCoder
    from vaecodec.codec.target import Setting

LEAST_PIECE, MOST_PIECE = 512, 4096  # images that one core takes at a time: at most MAX_LANES
MIN_LANES = 96  # fewer payloads of a level are coded one by one: a step of the lanes costs some 10 µs


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """levels: int (b,); sizes: (height, width), None where it is the model's own; symbols: int32 (b, n)."""

    levels: npt.NDArray[np.intp]
    sizes: list[Size | None]
    symbols: Symbols


class LossyCodec:
    """Compresses and decompresses images at the levels of one model."""

    def __init__(self, model: Model, frame: Frame) -> None:
        self.model = model
        self.frame = frame
        self.groups = _group_coder(model)
        self._analysis = AnalysisSession(model.analysis, Expected((None, *model.shape), (None, model.latents)))
        self._synthesis = Synthesis(model)

    def level(self, level: int) -> Level:
        """One of the model's. Raises ModelError."""
        if not 0 <= level < len(self.model.levels):
            there = f"levels 0..{len(self.model.levels) - 1}" if self.model.levels else "no lossy levels"
            raise ModelError(f"level {level}: {self.model.name} has {there}")
        return self.model.levels[level]

    # from pixels to bytes

    def compress(self, images: Sequence[Framed], settings: Sequence[Setting]) -> list[bytes]:
        """The stream of each image at its setting. Raises ModelError."""
        if not images:
            return []
        for setting in set(settings):
            self.level(setting.level)
        least = self.refiner.least_piece if any(setting.effort for setting in settings) else LEAST_PIECE
        if len(images) < 2 * least:
            return self._compress_piece(images, settings)
        self._analysis.start()
        parts = pieces(len(images), least=least, most=MOST_PIECE)
        return list(chain(*map_on_cores(lambda part: self._compress_piece(images[part], settings[part]), parts)))

    def _compress_piece(self, images: Sequence[Framed], settings: Sequence[Setting]) -> list[bytes]:
        streams = [b""] * len(images)
        for setting in sorted(set(settings)):
            places = [k for k, one in enumerate(settings) if one == setting]
            chosen = [images[k] for k in places]
            payloads = self.encode_payloads(self.choose_symbols(chosen, setting), setting.level)
            packed = self._pack(setting.level, chosen, payloads)
            for k, stream in zip(places, packed, strict=True):
                streams[k] = stream
        return streams

    def choose_symbols(self, images: Sequence[Framed], setting: Setting) -> Symbols:
        """Symbols (b, n) of images at a setting. Raises ModelError."""
        whole = np.stack([image.whole for image in images])
        symbols = self.analyse(whole, setting.level)
        if not setting.effort:
            return symbols
        return self.refiner(whole, self.frame.inside(images), symbols, setting.level, setting.effort)

    def analyse(self, images: Pixels, level: int = 0) -> Symbols:
        """Symbols (b, n) of images of the model's geometry, (b, h, w) or (b, h, w, 3). Raises ModelError."""
        return self.level(level).symbols_of(self.latents(images, level))

    def latents(self, images: Pixels, level: int = 0) -> npt.NDArray[np.float32]:
        """What the quantizer rounds, of images of the model's geometry: (b, n). Raises ModelError."""
        y = self._analysis(images, level)
        if y.shape != (len(images), self.model.latents):
            raise ModelError(f"the analysis graph gives latents {y.shape}, {self.model.name} has {self.model.latents}")
        return y

    @cached_property
    def refiner(self) -> Refiner:
        """What effort is spent by. Raises ModelError where the model does not say what its β weighs."""
        from vaecodec.codec.effort import Refiner

        return Refiner(self.model, self._synthesis)

    def encode_payload(self, symbols: Symbols, level: int = 0) -> bytes:
        """The payload of the symbols (n,) of one image."""
        return self.encode_payloads(symbols[None], level)[0]

    def encode_payloads(self, symbols: Symbols, level: int = 0) -> list[bytes]:
        """The payload of each row of symbols (b, n)."""
        tables = self.level(level).tables
        if self.groups is not None:
            return self.groups.encode(symbols)
        if len(symbols) < MIN_LANES:
            return [encode_symbols(row, tables) for row in symbols]
        from vaecodec.entropy.lanes import encode_lanes

        return encode_lanes(symbols, tables)

    def _pack(self, level: int, images: Sequence[Framed], payloads: Sequence[bytes]) -> list[bytes]:
        fingerprint = self.model.fingerprint
        if len(payloads) < MIN_LANES or any(image.size is not None or image.window is not None for image in images):
            return [
                pack(level, fingerprint, image.size, payload, window=image.window)
                for image, payload in zip(images, payloads, strict=True)
            ]
        from vaecodec.bitstream.stream_batch import pack_plain

        return pack_plain(level, fingerprint, payloads)

    # from bytes to pixels

    def decompress(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        """The image of each stream. Raises FormatError's children and ModelMismatch, at the first that is bad."""
        if len(streams) == 1:
            stream, symbols = self.parse(streams[0])
            return [self.frame.cropped(self.synthesise(symbols[None], stream.coding)[0], stream.size)]
        if len(streams) < 2 * LEAST_PIECE:
            return self._decompress_piece(streams)
        parts = pieces(len(streams), least=LEAST_PIECE, most=MOST_PIECE)
        return list(chain(*map_on_cores(lambda part: self._decompress_piece(streams[part]), parts)))

    def _decompress_piece(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        parsed = self.parse_all(streams)
        levels = np.unique(parsed.levels).tolist()
        if len(levels) == 1 and not any(parsed.sizes):
            return list(self.synthesise(parsed.symbols, levels[0]))
        images: list[Pixels] = [np.empty(0, np.uint8)] * len(streams)
        for level in levels:
            places = np.flatnonzero(parsed.levels == level)
            for k, image in zip(places.tolist(), self.synthesise(parsed.symbols[places], level), strict=True):
                images[k] = self.frame.cropped(image, parsed.sizes[k])
        return images

    def parse(self, data: bytes | memoryview) -> tuple[Stream, Symbols]:
        """The fields and the symbols (n,) of a stream, everything checked but the pixels made."""
        stream = receive(data, self.model, self.frame).stream
        if stream.coding >= len(self.model.levels):
            raise BadField(f"coding at offset 1: level {stream.coding}, {self.model.name} has {len(self.model.levels)}")
        return stream, self.decode_payload(stream.payload, stream.coding)

    def parse_all(self, streams: Sequence[bytes | memoryview]) -> Parsed:
        """parse() of each. Raises as that does, at the first stream that is bad."""
        count = len(streams)
        if count >= MIN_LANES:
            parsed, left = self._parse_plain(streams)
        else:
            symbols = np.empty((count, self.model.latents), np.int32)
            parsed, left = Parsed(np.zeros(count, np.intp), [None] * count, symbols), np.arange(count)
        for k in left.tolist():
            stream, parsed.symbols[k] = self.parse(streams[k])
            parsed.levels[k], parsed.sizes[k] = stream.coding, stream.size
        return parsed

    def _parse_plain(self, streams: Sequence[bytes | memoryview]) -> tuple[Parsed, npt.NDArray[np.intp]]:
        """What the plain streams say, and the places of those that are left, all bad ones among them.

        Plain: whole, of the model's own size, one of many at its level.
        """
        from vaecodec.bitstream.stream_batch import payload_of, sift
        from vaecodec.entropy.lanes import decode_lanes

        sifted, count = sift(streams, self.model.fingerprint), len(streams)
        plain, left = sifted.plain & (sifted.level < len(self.model.levels)), np.ones(count, np.bool_)
        symbols: Symbols = np.empty((count, self.model.latents), np.int32)
        for level in np.unique(sifted.level[plain]).tolist():
            places = np.flatnonzero(plain & (sifted.level == level))
            if len(places) < MIN_LANES:
                continue
            payloads = [payload_of(streams[k]) for k in places.tolist()]
            if self.groups is not None:
                symbols[places], left[places] = self.groups.decode(payloads), False
                continue
            decoded, sure = decode_lanes(payloads, self.model.levels[level].tables)
            if len(places) == count:
                symbols = decoded
            else:
                symbols[places] = decoded
            left[places[sure]] = False
        return Parsed(sifted.level, [None] * count, symbols), np.flatnonzero(left)

    def decode_payload(self, payload: bytes, level: int = 0) -> Symbols:
        """The symbols (n,) of a payload. Raises FormatError's children."""
        tables = self.level(level).tables
        return decode_symbols(payload, tables) if self.groups is None else self.groups.decode([payload])[0]

    def synthesise(self, symbols: Symbols, level: int = 0) -> Pixels:
        """Images (b, h, w) or (b, h, w, 3) of symbols (b, n): the same on every machine and for every batch size."""
        self.level(level)
        return self._synthesis(symbols, level)

    # what symbols cost, and what the synthesis takes

    def information_bits(self, symbols: Symbols, level: int = 0) -> Float64:
        """-log2 P of each row of symbols (b, n) under the stored tables: (b,)."""
        return np.asarray(self.symbol_bits(symbols, level).sum(axis=1))

    def symbol_bits(self, symbols: Symbols, level: int = 0) -> Float64:
        """-log2 P of each symbol (b, n), given the groups before it where the model has several."""
        tables = self.level(level).tables
        return tables.symbol_bits(symbols) if self.groups is None else self.groups.symbol_bits(symbols)

    def synthesis_input(self, symbols: Symbols, level: int) -> Symbols:
        """What the synthesis takes: symbols (b, n), and the level after them where the model conditions on it."""
        return self._synthesis.input(symbols, level)


def _group_coder(model: Model) -> GroupCoder | None:
    """None where every symbol is coded in one group."""
    if model.priors is None:
        return None
    from vaecodec.codec.groups import GroupCoder

    return GroupCoder(model)
