"""Codec: the one place where a model, its coding tables and the bitstream meet.

image ──analysis──> y ──quantizer──> symbols ──coder──> payload ──pack──> bytes
(h, w)              (n,)             int32 (n,)         bytes
image <─────────synthesis────────────symbols <─coder─── payload <─unpack─ bytes
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.limits import SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.stream import Stream, pack, unpack, verify
from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.errors import (
    BadField,
    ImageError,
    ImageSizeError,
    KnownAnswerMismatch,
    ModelError,
    ModelMismatch,
    NotCanonical,
)
from vaecodec.runtime.analysis import AnalysisSession
from vaecodec.runtime.images import grey_pixels
from vaecodec.runtime.known_answer import answer_of
from vaecodec.runtime.model_file import Level, Model
from vaecodec.runtime.rate_control import Target, fixed_level, levels_for

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int32]
SYNTHESIS_BATCH = 64  # bounds the memory of the feature maps, and is the batch size of the known answer


class Codec:
    """Compresses and decompresses grey images with one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.fingerprint = model.fingerprint
        self._analysis = AnalysisSession(model.analysis)
        self._proven: set[int] = set()

    def __repr__(self) -> str:
        return f"<Codec {self.model.name}: {self.model.height}x{self.model.width} grey>"

    @property
    def geometry(self) -> tuple[int, int]:
        """(height, width) in pixels of the images that the model is made for, the largest it takes."""
        return self.model.height, self.model.width

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
    ) -> bytes:
        """The stream of one image: numpy uint8 (h, w), or a PIL image of any mode that turns grey without loss.

        At most one of the settings of vaecodec.runtime.rate_control.Target may be given. An image smaller than the
        model's geometry is padded by its edge. Raises ImageSizeError, ImageModeError, ModelError, ConfigError, and
        TargetMissed where no level meets the target.
        """
        target = Target(level, quality, beta, target_bytes, target_psnr, max_mse)
        return self.compress_batch([image], target=target)[0]

    def decompress(self, data: bytes | memoryview) -> Pixels:
        """The image of one stream, uint8 (h, w). Raises FormatError and its children, ModelMismatch."""
        return self.decompress_batch([data])[0]

    def compress_batch(
        self, images: Sequence[Pixels | Image.Image] | Pixels, *, level: int | None = None, target: Target | None = None
    ) -> list[bytes]:
        """A stream for each image; the same bytes as compress() gives one by one, faster."""
        pixels = [grey_pixels(image) for image in images]
        if not pixels:
            return []
        wanted = target or Target(level=level)
        fixed = fixed_level(self.model, wanted)
        levels = [fixed] * len(pixels) if fixed is not None else levels_for(self, pixels, wanted)
        streams = [b""] * len(pixels)
        for chosen in sorted(set(levels)):
            tables = self._level(chosen).tables
            places = [k for k, one in enumerate(levels) if one == chosen]
            symbols = self.analyse(np.stack([self.padded(pixels[k]) for k in places]), chosen)
            for k, row in zip(places, symbols, strict=True):
                size = self._written_size(pixels[k])
                streams[k] = pack(chosen, self.fingerprint, size, encode_symbols(row, tables))
        return streams

    def decompress_batch(self, streams: Sequence[bytes | memoryview]) -> list[Pixels]:
        """An image for each stream, uint8 (h, w). Raises as decompress() does, at the first stream that is bad."""
        parsed = [self.parse(data) for data in streams]
        images: list[Pixels] = [np.empty(0, np.uint8)] * len(parsed)
        for level in sorted({stream.coding for stream, _ in parsed}):
            places = [k for k, (stream, _) in enumerate(parsed) if stream.coding == level]
            pixels = self.synthesise(np.stack([parsed[k][1] for k in places]), level)
            for k, image in zip(places, pixels, strict=True):
                size = parsed[k][0].size
                images[k] = image if size is None else image[: size[0], : size[1]].copy()
        return images

    # symbols and bytes

    def parse(self, data: bytes | memoryview) -> tuple[Stream, Symbols]:
        """The fields and the symbols (n,) of a stream, everything checked but the pixels made."""
        stream = unpack(data)
        if stream.short_fingerprint != self.fingerprint[:SHORT_FINGERPRINT_BYTES]:
            raise ModelMismatch(
                f"the stream was made with model {stream.short_fingerprint.hex()}…, "
                f"{self.model.name} is {self.fingerprint[:SHORT_FINGERPRINT_BYTES].hex()}…"
            )
        verify(data, self.fingerprint)
        if stream.size is not None:
            self._check_size(stream.size)
        if stream.coding >= len(self.model.levels):
            raise BadField(f"coding at offset 1: level {stream.coding}, {self.model.name} has {len(self.model.levels)}")
        return stream, self.decode_payload(stream.payload, stream.coding)

    def encode_payload(self, symbols: Symbols, level: int = 0) -> bytes:
        """The payload of the symbols (n,) of one image."""
        return encode_symbols(symbols, self._level(level).tables)

    def decode_payload(self, payload: bytes, level: int = 0) -> Symbols:
        """The symbols (n,) of a payload. Raises FormatError's children."""
        return decode_symbols(payload, self._level(level).tables)

    def information_bits(self, symbols: Symbols, level: int = 0) -> npt.NDArray[np.float64]:
        """-log2 P of each row of symbols (b, n) under the stored tables: (b,)."""
        return self._level(level).tables.information_bits(symbols)

    # pixels and latents

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
        parts = [
            self._synthesise_batch(symbols[k : k + SYNTHESIS_BATCH], level)
            for k in range(0, len(symbols), SYNTHESIS_BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, *self.geometry), np.uint8)

    def padded(self, image: Pixels) -> Pixels:
        """The image (h, w), made as large as the model's geometry by repeating its last row and column.

        Raises ImageError, ImageSizeError.
        """
        self.check_image(image)
        height, width = self.geometry
        return np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1])), mode="edge")

    def check_image(self, image: Pixels) -> None:
        """Raises ImageError for what is no image, ImageSizeError for one that is too large."""
        if image.ndim != 2 or 0 in image.shape:
            raise ImageError(f"image: expected shape (h, w), found {image.shape}")
        height, width = self.geometry
        if image.shape[0] > height or image.shape[1] > width:
            raise ImageSizeError(
                f"image of {image.shape[0]}x{image.shape[1]} pixels: {self.model.name} takes at most {height}x{width}; "
                "resize it, or train a model for this size (vaecodec train FOLDER)"
            )

    def synthesis_input(self, symbols: Symbols, level: int) -> Symbols:
        """What the synthesis takes: symbols (b, n), and the level after them where the model conditions on it."""
        if not self.model.level_is_input:
            return symbols
        return np.column_stack([symbols, np.full(len(symbols), level, np.int32)])

    def _synthesise_batch(self, symbols: Symbols, level: int) -> Pixels:
        self._prove(len(symbols))
        return self.model.synthesis(self.synthesis_input(symbols, level))[..., 0].astype(np.uint8)

    def _prove(self, batch: int) -> None:
        """Compare with the known answer before the first use, and before the first use of a real batch."""
        answer = self.model.known_answer
        wanted = 1 if batch == 1 else len(answer.symbols)
        if wanted in self._proven:
            return
        expected = answer.sha256_one if wanted == 1 else answer.sha256_all
        if answer_of(self.model.synthesis, answer.symbols[:wanted]) != expected:
            raise KnownAnswerMismatch(
                f"{self.model.name}: at batch size {wanted} this machine's arithmetic does not give the known answer; "
                "images would be wrong"
            )
        self._proven.add(wanted)

    def _level(self, level: int) -> Level:
        if not 0 <= level < len(self.model.levels):
            raise ModelError(f"level {level}: {self.model.name} has levels 0..{len(self.model.levels) - 1}")
        return self.model.levels[level]

    def _written_size(self, image: Pixels) -> tuple[int, int] | None:
        """The size that a stream must say: None where it is the model's own."""
        height, width = image.shape
        return None if (height, width) == self.geometry else (height, width)

    def _check_size(self, size: tuple[int, int]) -> None:
        height, width = self.geometry
        if size == self.geometry:
            raise NotCanonical(f"size at offset 4: {height}x{width} is the model's own and must not be written")
        if size[0] > height or size[1] > width:
            raise BadField(f"size at offset 4: {size[0]}x{size[1]} exceeds the model's {height}x{width}")


def load(model: str | os.PathLike[str]) -> Codec:
    """The codec of a model by alias ("mnist"), revision ("mnist-beta-vae-1"), or path of a model file.

    Raises ModelNotFound, FormatError.
    """
    from vaecodec.runtime.installed import find_model

    return Codec(find_model(model))
