"""Codec: the one place where a model, its coding tables and the bitstream meet.

image ──analysis──> y ──quantizer──> symbols ──coder──> payload ──pack──> bytes
(h, w)              (n,)             int32 (n,)         bytes
image <─────────synthesis────────────symbols <─coder─── payload <─unpack─ bytes

With effort, refine.py moves the symbols before they are coded. Many images at once are image_streams.py's. What
decompressing a lossy stream does not use is imported where it is used: imports are most of what a command waits for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import MAX_LEVEL, SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.stream import CODED_EXACTLY, Stream, unpack, verify
from vaecodec.codec import image_streams
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.geometry import Geometry
from vaecodec.codec.synthesis import Synthesis
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.errors import BadField, ConfigError, ModelError, ModelMismatch
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model

if TYPE_CHECKING:
    from PIL import Image

    from vaecodec.codec.groups import GroupCoder
    from vaecodec.codec.lossless import LosslessCodec
    from vaecodec.codec.rate_control import Setting, Target
    from vaecodec.codec.refine import Refiner

Pixels = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int32]


class Codec:
    """Compresses and decompresses grey images with one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.fingerprint = model.fingerprint
        self.frame = Geometry(model.name, model.height, model.width)
        self._analysis = AnalysisSession(model.analysis)
        self._synthesis = Synthesis(model)
        self.groups = _group_coder(model)

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
        from vaecodec.codec.lossless import LosslessCodec

        return LosslessCodec(part, self.frame, self.fingerprint)

    @cached_property
    def refiner(self) -> Refiner:
        """What effort is spent by. Raises ModelError where the model does not say what its β weighs."""
        from vaecodec.codec.refine import Refiner

        return Refiner(self.model, self._synthesis)

    def level(self, level: int) -> Level:
        """One of the model's. Raises ModelError."""
        if not 0 <= level < len(self.model.levels):
            there = f"levels 0..{len(self.model.levels) - 1}" if self.model.levels else "no lossy levels"
            raise ModelError(f"level {level}: {self.model.name} has {there}")
        return self.model.levels[level]

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

        At most one of the settings of vaecodec.codec.rate_control.Target may be given, and effort 0, 1 or 2, which
        takes longer for better streams; lossless is max_error 0. An image smaller than the model's geometry is padded
        by its edge. Raises ImageSizeError, ImageModeError, ModelError, ConfigError, and TargetMissed where no level
        meets the target.
        """
        from vaecodec.codec.rate_control import Target

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
        return image_streams.compress(self, images, level, effort, target)

    def compress_at(self, pixels: list[Pixels], settings: list[Setting]) -> list[bytes]:
        """The lossy stream of each image (h, w) at its setting. Raises ImageError's children, ModelError."""
        return image_streams.compress_at(self, pixels, settings)

    def decompress_batch(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        """An image for each stream, uint8 (h, w). Raises as decompress() does, at a stream that is bad."""
        return image_streams.decompress(self, streams)

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
        self.frame.check_written(stream.size)
        return stream

    def parse(self, data: bytes | memoryview) -> tuple[Stream, Symbols]:
        """The fields and the symbols (n,) of a lossy stream, everything checked but the pixels made."""
        stream = self.fields(data)
        if stream.coding >= len(self.model.levels):
            raise BadField(f"coding at offset 1: level {stream.coding}, {self.model.name} has {len(self.model.levels)}")
        return stream, self.decode_payload(stream.payload, stream.coding)

    def encode_payload(self, symbols: Symbols, level: int = 0) -> bytes:
        """The payload of the symbols (n,) of one image."""
        tables = self.level(level).tables
        return encode_symbols(symbols, tables) if self.groups is None else self.groups.encode(symbols[None])[0]

    def decode_payload(self, payload: bytes, level: int = 0) -> Symbols:
        """The symbols (n,) of a payload. Raises FormatError's children."""
        tables = self.level(level).tables
        return decode_symbols(payload, tables) if self.groups is None else self.groups.decode([payload])[0]

    def information_bits(self, symbols: Symbols, level: int = 0) -> npt.NDArray[np.float64]:
        """-log2 P of each row of symbols (b, n) under the stored tables: (b,)."""
        return np.asarray(self.symbol_bits(symbols, level).sum(axis=1))

    def symbol_bits(self, symbols: Symbols, level: int = 0) -> npt.NDArray[np.float64]:
        """-log2 P of each symbol (b, n), given the groups before it where the model has several."""
        tables = self.level(level).tables
        return tables.symbol_bits(symbols) if self.groups is None else self.groups.symbol_bits(symbols)

    # pixels and latents

    def choose_symbols(self, images: Sequence[Pixels], setting: Setting) -> Symbols:
        """Symbols (b, n) of images (h, w), padded if need be. Raises ImageError's children, ModelError."""
        padded = np.stack([self.padded(image) for image in images])
        symbols = self.analyse(padded, setting.level)
        if not setting.effort:
            return symbols
        return self.refiner(padded, self.frame.inside(images), symbols, setting.level, setting.effort)

    def analyse(self, images: Pixels, level: int = 0) -> Symbols:
        """Symbols (b, n) of images (b, h, w) of the model's geometry."""
        chosen = self.level(level)
        y = self._analysis(images, level)
        if y.shape != (len(images), self.model.latents):
            raise ModelError(f"the analysis graph gives latents {y.shape}, {self.model.name} has {self.model.latents}")
        return chosen.tables.fill_collapsed(chosen.quantizer.round_to_symbols(y))

    def start_analysis(self) -> None:
        """Get ready to analyse now, before several threads want to. Raises ModelError."""
        self._analysis.start()

    def synthesise(self, symbols: Symbols, level: int = 0) -> Pixels:
        """Images (b, h, w) of symbols (b, n): the same pixels on every machine and for every batch size."""
        self.level(level)
        return self._synthesis(symbols, level)

    def padded(self, image: Pixels) -> Pixels:
        """The image (h, w), made as large as the model's geometry. Raises ImageError, ImageSizeError."""
        return self.frame.padded(image)

    def check_image(self, image: Pixels) -> None:
        """Raises ImageError for what is no image, ImageSizeError for one that is too large."""
        self.frame.check_image(image)

    def synthesis_input(self, symbols: Symbols, level: int) -> Symbols:
        """What the synthesis takes: symbols (b, n), and the level after them where the model conditions on it."""
        return self._synthesis.input(symbols, level)


def _group_coder(model: Model) -> GroupCoder | None:
    """None where every symbol is coded in one group."""
    if model.priors is None:
        return None
    from vaecodec.codec.groups import GroupCoder

    return GroupCoder(model)


def load(model: str | os.PathLike[str]) -> Codec:
    """The codec of a model by alias ("mnist"), revision ("mnist-beta-vae-1"), or path of a model file.

    Raises ModelNotFound, FormatError.
    """
    from vaecodec.modelfile.installed import find_model

    return Codec(find_model(model))
