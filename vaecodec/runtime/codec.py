"""Codec: the one place where a model, its coding tables and the bitstream meet.

image ──analysis──> y ──quantizer──> symbols ──coder──> payload ──pack──> bytes
(h, w)              (n,)             int32 (n,)         bytes
image <─────────synthesis────────────symbols <─coder─── payload <─unpack─ bytes

With effort, refine.py moves the symbols before they are coded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_LEVEL, SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.stream import CODED_EXACTLY, Stream, is_exact, unpack, verify
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.errors import BadField, ConfigError, ModelError, ModelMismatch
from vaecodec.runtime.analysis import AnalysisSession
from vaecodec.runtime.bulk import LEAST_PIECE, MOST_PIECE, pack_symbols, parse_streams
from vaecodec.runtime.cores import map_on_cores, pieces
from vaecodec.runtime.decode_order import GroupCoder
from vaecodec.runtime.exact_or_lossy import compress_by_target
from vaecodec.runtime.geometry import Geometry
from vaecodec.runtime.images import grey_pixels
from vaecodec.runtime.level_file import Level
from vaecodec.runtime.lossless import LosslessCodec, Received
from vaecodec.runtime.model_file import Model
from vaecodec.runtime.rate_control import Setting, Target, one_target, settings_for
from vaecodec.runtime.synthesis import Synthesis

if TYPE_CHECKING:
    from PIL import Image

    from vaecodec.runtime.refine import Refiner

Pixels = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int32]


class Codec:
    """Compresses and decompresses grey images with one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.fingerprint = model.fingerprint
        self._frame = Geometry(model.name, model.height, model.width)
        self._analysis = AnalysisSession(model.analysis)
        self._synthesis = Synthesis(model)
        self.groups = GroupCoder(model) if model.priors is not None else None  # None: one group

    def __repr__(self) -> str:
        return f"<Codec {self.model.name}: {self.model.height}x{self.model.width} grey>"

    @property
    def geometry(self) -> tuple[int, int]:
        """(height, width) in pixels of the images that the model is made for, the largest it takes."""
        return self.model.height, self.model.width

    @cached_property
    def lossless(self) -> LosslessCodec:
        """What compresses exactly. Raises ModelError where the model has no lossless part."""
        part = self.model.lossless
        if part is None:
            raise ModelError(f"{self.model.name} has no lossless part: it compresses at its levels alone")
        return LosslessCodec(part, self._frame, self.fingerprint)

    @cached_property
    def refiner(self) -> Refiner:
        """What effort is spent by. Raises ModelError where the model does not say what its β weighs."""
        from vaecodec.runtime.refine import Refiner

        return Refiner(self.model, self._synthesis)

    # pixels and bytes

    def compress(
        self,
        image: Pixels | Image.Image,
        *,
        level: int | None = None,
        quality: float | None = None,
        beta: float | None = None,
        target_bytes: int | None = None,
        target_psnr: float | None = None,
        max_mse: float | None = None,
        max_error: int | None = None,
        lossless: bool = False,
        effort: int = 0,
    ) -> bytes:
        """The stream of one image: numpy uint8 (h, w), or a PIL image of any mode that turns grey without loss.

        At most one of the settings of vaecodec.runtime.rate_control.Target may be given, and effort 0, 1 or 2, which
        takes longer for better streams; lossless is max_error 0. An image smaller than the model's geometry is padded
        by its edge. Raises ImageSizeError, ImageModeError, ModelError, ConfigError, and TargetMissed where no level
        meets the target.
        """
        if lossless and max_error not in (None, 0):
            raise ConfigError(f"lossless and max_error {max_error}: give one of them")
        largest = 0 if lossless else max_error
        target = Target(level, quality, beta, target_bytes, target_psnr, max_mse, largest, effort)
        return self.compress_batch([image], target=target)[0]

    def decompress(self, data: bytes | memoryview) -> Pixels:
        """The image of one stream, uint8 (h, w). Raises FormatError and its children, ModelMismatch."""
        return self.decompress_batch([data])[0]

    def compress_batch(
        self,
        images: Sequence[Pixels | Image.Image] | Pixels,
        *,
        level: int | None = None,
        effort: int = 0,
        target: Target | None = None,
    ) -> list[bytes]:
        """A stream for each image; the same bytes as compress() gives one by one, faster.

        target: instead of level and effort. Raises as compress() does.
        """
        wanted = one_target(level, effort, target)
        pixels = [grey_pixels(image) for image in images]
        if not pixels:
            return []
        if self.model.has_lossless or wanted.max_error is not None:
            return compress_by_target(self, pixels, wanted)
        return self.compress_at(pixels, settings_for(self, pixels, wanted))

    def compress_at(self, pixels: list[Pixels], settings: list[Setting]) -> list[bytes]:
        """The lossy stream of each image (h, w) at its setting. Raises ImageError's children, ModelError."""
        if not pixels:
            return []
        for setting in set(settings):
            self._level(setting.level)
        self._analysis.start()
        least = self.refiner.least_piece if any(setting.effort for setting in settings) else LEAST_PIECE
        parts = pieces(len(pixels), least=least, most=MOST_PIECE)
        return list(chain(*map_on_cores(lambda part: self._compress_part(pixels[part], settings[part]), parts)))

    def decompress_batch(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        """An image for each stream, uint8 (h, w). Raises as decompress() does, at a stream that is bad."""
        exact = [k for k, data in enumerate(streams) if is_exact(data)]
        left = [data for data in streams if not is_exact(data)] if exact else streams
        parts = pieces(len(left), least=LEAST_PIECE, most=MOST_PIECE)
        lossy = chain(*map_on_cores(lambda part: self._decompress_part(left[part]), parts))
        received = [Received(streams[k], self.fields(streams[k])) for k in exact]
        decoded = dict(zip(exact, self.lossless.decompress(received), strict=True)) if exact else {}
        return [decoded[k] if k in decoded else next(lossy) for k in range(len(streams))]

    def _compress_part(self, pixels: list[Pixels], settings: list[Setting]) -> list[bytes]:
        streams = [b""] * len(pixels)
        for setting in sorted(set(settings)):
            places = [k for k, one in enumerate(settings) if one == setting]
            images = [pixels[k] for k in places]
            sizes = [self._frame.written_size(image) for image in images]
            packed = pack_symbols(self, self.choose_symbols(images, setting), sizes, setting.level)
            for k, stream in zip(places, packed, strict=True):
                streams[k] = stream
        return streams

    def _decompress_part(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        parsed = parse_streams(self, streams)
        images: list[Pixels] = [np.empty(0, np.uint8)] * len(streams)
        for level in np.unique(parsed.levels).tolist():
            places = np.flatnonzero(parsed.levels == level)
            for k, image in zip(places.tolist(), self.synthesise(parsed.symbols[places], level), strict=True):
                size = parsed.sizes[k]
                images[k] = image if size is None else image[: size[0], : size[1]].copy()
        return images

    # symbols and bytes

    def fields(self, data: bytes | memoryview) -> Stream:
        """The fields of a stream of this model, checked; if it is exact, only decoding can check it whole."""
        stream = unpack(data)
        if stream.short_fingerprint != self.fingerprint[:SHORT_FINGERPRINT_BYTES]:
            raise ModelMismatch(
                f"the stream was made with model {stream.short_fingerprint.hex()}…, "
                f"{self.model.name} is {self.fingerprint[:SHORT_FINGERPRINT_BYTES].hex()}…"
            )
        if stream.coding > MAX_LEVEL and not self.model.has_lossless:
            raise BadField(f"coding at offset 1: {stream.coding}, {self.model.name} has no lossless part")
        if stream.coding not in CODED_EXACTLY:
            verify(data, self.fingerprint)
        self._frame.check_written(stream.size)
        return stream

    def parse(self, data: bytes | memoryview) -> tuple[Stream, Symbols]:
        """The fields and the symbols (n,) of a lossy stream, everything checked but the pixels made."""
        stream = self.fields(data)
        if stream.coding >= len(self.model.levels):
            raise BadField(f"coding at offset 1: level {stream.coding}, {self.model.name} has {len(self.model.levels)}")
        return stream, self.decode_payload(stream.payload, stream.coding)

    def encode_payload(self, symbols: Symbols, level: int = 0) -> bytes:
        """The payload of the symbols (n,) of one image."""
        tables = self._level(level).tables
        return encode_symbols(symbols, tables) if self.groups is None else self.groups.encode(symbols[None])[0]

    def decode_payload(self, payload: bytes, level: int = 0) -> Symbols:
        """The symbols (n,) of a payload. Raises FormatError's children."""
        tables = self._level(level).tables
        return decode_symbols(payload, tables) if self.groups is None else self.groups.decode([payload])[0]

    def information_bits(self, symbols: Symbols, level: int = 0) -> npt.NDArray[np.float64]:
        """-log2 P of each row of symbols (b, n) under the stored tables: (b,)."""
        return np.asarray(self.symbol_bits(symbols, level).sum(axis=1))

    def symbol_bits(self, symbols: Symbols, level: int = 0) -> npt.NDArray[np.float64]:
        """-log2 P of each symbol (b, n), given the groups before it where the model has several."""
        tables = self._level(level).tables
        return tables.symbol_bits(symbols) if self.groups is None else self.groups.symbol_bits(symbols)

    # pixels and latents

    def choose_symbols(self, images: Sequence[Pixels], setting: Setting) -> Symbols:
        """Symbols (b, n) of images (h, w), padded if need be. Raises ImageError's children, ModelError."""
        padded = np.stack([self.padded(image) for image in images])
        symbols = self.analyse(padded, setting.level)
        if not setting.effort:
            return symbols
        return self.refiner(padded, self._frame.inside(images), symbols, setting.level, setting.effort)

    def analyse(self, images: Pixels, level: int = 0) -> Symbols:
        """Symbols (b, n) of images (b, h, w) of the model's geometry."""
        chosen = self._level(level)
        y = self._analysis(images, level)
        if y.shape != (len(images), self.model.latents):
            raise ModelError(f"the analysis graph gives latents {y.shape}, {self.model.name} has {self.model.latents}")
        return chosen.tables.fill_collapsed(chosen.quantizer.round_to_symbols(y))

    def synthesise(self, symbols: Symbols, level: int = 0) -> Pixels:
        """Images (b, h, w) of symbols (b, n): the same pixels on every machine and for every batch size."""
        self._level(level)
        return self._synthesis(symbols, level)

    def padded(self, image: Pixels) -> Pixels:
        """The image (h, w), made as large as the model's geometry. Raises ImageError, ImageSizeError."""
        return self._frame.padded(image)

    def check_image(self, image: Pixels) -> None:
        """Raises ImageError for what is no image, ImageSizeError for one that is too large."""
        self._frame.check_image(image)

    def synthesis_input(self, symbols: Symbols, level: int) -> Symbols:
        """What the synthesis takes: symbols (b, n), and the level after them where the model conditions on it."""
        return self._synthesis.input(symbols, level)

    def _level(self, level: int) -> Level:
        if not 0 <= level < len(self.model.levels):
            there = f"levels 0..{len(self.model.levels) - 1}" if self.model.levels else "no lossy levels"
            raise ModelError(f"level {level}: {self.model.name} has {there}")
        return self.model.levels[level]


def load(model: str | os.PathLike[str]) -> Codec:
    """The codec of a model by alias ("mnist"), revision ("mnist-beta-vae-1"), or path of a model file.

    Raises ModelNotFound, FormatError.
    """
    from vaecodec.runtime.installed import find_model

    return Codec(find_model(model))
