"""PhotographCodec: pictures of any size and bytes, with one photograph model. What Codec is to a model of one geometry.

    any picture ──as_picture──> Picture ──target──> level ──encode_picture──> payloads ──pack_picture──> stream
                                  alpha, ICC, EXIF, XMP ──────────────────────────────────┘
    Picture <──alpha, ICC, EXIF, XMP── pixels <──decode_picture── payloads <──unpack_picture── stream

A model's level is found for a size or a distortion by bisection: each trial codes the picture once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.limits import SHORT_FINGERPRINT_BYTES
from vaecodec.bitstream.picture_stream import (
    ALPHA,
    WINDOW,
    PictureStream,
    pack_picture,
    unpack_picture,
    verify_picture,
)
from vaecodec.codec.alpha import pack_alpha, unpack_alpha
from vaecodec.codec.picture import Picture, as_picture
from vaecodec.codec.quality import mse, psnr_db_from_mse
from vaecodec.codec.received import streams_given
from vaecodec.codec.search import finest
from vaecodec.codec.target import Target, one_target
from vaecodec.errors import (
    BadField,
    ConfigError,
    ImageSizeError,
    LimitExceeded,
    ModelError,
    ModelMismatch,
    TargetMissed,
)
from vaecodec.limits import limits
from vaecodec.memory import memory_bytes
from vaecodec.modelfile.installed import is_installed, model_path
from vaecodec.photo.bits import PictureBits, picture_bits
from vaecodec.photo.coder import decode_picture, encode_picture
from vaecodec.photo.model import PhotoModel, open_photo_model

if TYPE_CHECKING:
    from PIL import Image

    from vaecodec.bitstream.window import Values
    from vaecodec.codec.window import WindowLike

    PictureLike = Picture | Pixels | Image.Image
EXACT_ELSEWHERE = "PNG and JPEG XL keep every pixel"
ENCODING_BYTES_A_PIXEL, DECODING_BYTES_A_PIXEL = 48, 36  # what a large picture takes, besides some 400 MB


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture's stream at a level. mse: of what it decodes to, in squared grey levels, over all its channels."""

    level: int
    stream: bytes
    mse: float


class PhotographCodec:
    """Compresses and decompresses pictures of any size with one photograph model.

    geometry: None, for there is no size that it is made for. channels: 3, though a grey picture comes back as (h, w).
    source: the name or path that load() found the model by, "" where there is none; a pickle or copy holds that and the
    fingerprint, else the model.
    """

    geometry = None
    channels = 3

    def __init__(self, model: PhotoModel, source: str = "") -> None:
        self.model = model
        self.source = source
        self.fingerprint = model.fingerprint

    @classmethod
    def load(cls, model: str | os.PathLike[str]) -> PhotographCodec:
        """Of a photograph model by alias, revision or path. Raises ModelNotFound, FormatError."""
        path = model_path(model)
        return cls(_read(path, path.stat().st_mtime_ns), path.stem if is_installed(path) else str(path.resolve()))

    def __repr__(self) -> str:
        return f"<PhotographCodec {self.model.name}: any size, RGB>"

    def __reduce__(self) -> tuple[Callable[..., PhotographCodec], tuple[object, ...]]:
        """Another process reads the model's file again where it has a name."""
        if self.source:
            return _found_again, (self.source, self.fingerprint)
        return _of_bytes, (self.model.to_bytes(),)

    def prove(self) -> None:
        """Read all of the model, and compare with its known answers. Raises FormatError's children, ModelError's."""
        _ = self.model.networks
        if self.model.encoder is not None:
            self.model.encoder.analysis.check()
            self.model.encoder.hyper.check()

    def stripped(self) -> PhotographCodec:
        """Of the model's decoder alone, whose fingerprint is the same."""
        return PhotographCodec(replace(self.model, encoder=None))

    # from pictures to bytes

    def compress(
        self,
        image: PictureLike,
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
        window: WindowLike | None = None,
    ) -> bytes:
        """The stream of one picture: uint8 (h, w), (h, w, 3) or, with alpha, (h, w, 4), a PIL image, or a Picture.

        window: for arrays (h, w) or (h, w, 3) and PIL images of more than 8 bits, which of their values become 0 and
        255: "minmax", "percentile", (low, high) or a vaecodec.Window; it is kept in the stream, and restore() gives
        such values again.

        At most one of the settings of vaecodec.codec.target.Target may be given. No photograph model codes exactly, and
        none knows an effort. Raises ImageError's children, ModelError, ConfigError, and TargetMissed where no level
        meets the target.
        """
        target = Target(level, quality, beta, target_bytes, target_psnr, max_mse, 0 if lossless else max_error, effort)
        return self.compress_batch([image], target=target, window=window)[0]

    def compress_batch(
        self,
        images: Iterable[PictureLike],
        *,
        level: int | None = None,
        effort: int = 0,
        target: Target | None = None,
        window: WindowLike | None = None,
    ) -> list[bytes]:
        """A stream for each picture. target: instead of level and effort. Raises as compress() does."""
        wanted = one_target(level, effort, target)
        return [self.code(as_picture(image, window), wanted).stream for image in images]

    def code(self, image: PictureLike, target: Target) -> Coded:
        """The stream of one picture, its level, and how good it is. Raises as compress() does."""
        self.check_target(target)
        picture = as_picture(image)
        _check_memory(picture.size, ENCODING_BYTES_A_PIXEL, ImageSizeError)
        fixed = target.fixed_level(self.model)
        chunks = dict(picture.chunks)
        if picture.alpha is not None:
            chunks[ALPHA] = pack_alpha(picture.alpha)
        if picture.window is not None:
            chunks[WINDOW] = picture.window.pack()
        if fixed is not None:
            return self._coded(picture, chunks, fixed)
        return self._searched(picture, chunks, target)

    def check_target(self, target: Target) -> None:
        """Raises ModelError, ConfigError for what no photograph model does, or a level that this one does not have."""
        name = self.model.name
        if target.max_error is not None:
            raise ModelError(f"{name} is a photograph model, and codes no picture exactly: {EXACT_ELSEWHERE}")
        if target.effort:
            raise ConfigError(f"effort {target.effort}: {name} is a photograph model, which has effort 0 alone")
        if target.level is not None and not 0 <= target.level < len(self.model.betas):
            raise ModelError(f"level {target.level}: {name} has levels 0..{len(self.model.betas) - 1}")
        if not self.model.can_compress:
            raise ModelError(f"{name} only decodes: its analysis was stripped")

    def _coded(self, picture: Picture, chunks: dict[str, bytes], level: int) -> Coded:
        encoded = encode_picture(self.model, picture.pixels, level)
        stream = pack_picture(level, self.fingerprint, picture.size, encoded.payloads, grey=picture.grey, chunks=chunks)
        return Coded(level, stream, mse(shown(encoded.pixels, picture.grey), shown(picture.pixels, picture.grey)))

    def _searched(self, picture: Picture, chunks: dict[str, bytes], target: Target) -> Coded:
        """The finest level that fits, or the coarsest that is good enough. Raises TargetMissed."""
        levels, largest = len(self.model.betas), target.largest_mse
        tried: dict[int, Coded] = {}

        def passes(places: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.bool_]:
            level = number if largest is None else levels - 1 - number
            tried[level] = self._coded(picture, chunks, level)
            return np.full(len(places), _meets(tried[level], target))

        finest(1, levels, passes, most=levels.bit_length())  # bisection alone: a photograph takes its time
        met = [coded for coded in tried.values() if _meets(coded, target)]
        if met and largest is None:
            return max(met, key=lambda coded: coded.level)
        if met:
            return min(met, key=lambda coded: coded.level)
        raise self._missed(list(tried.values()), target)

    def _missed(self, tried: list[Coded], target: Target) -> TargetMissed:
        name = self.model.name
        if target.target_bytes is not None:
            least = min(len(coded.stream) for coded in tried)
            return TargetMissed(f"target of {target.target_bytes} bytes: {name} needs {least} for this picture")
        best = min(coded.mse for coded in tried)
        return TargetMissed(
            f"target of mean squared error {target.largest_mse:.6g}: the best that {name} gives for this picture is "
            f"{best:.6g}, {psnr_db_from_mse(best):.2f} dB"
        )

    # from bytes to pictures

    def decompress(self, data: bytes | memoryview) -> Pixels:
        """The colours of one stream's picture, uint8 (h, w) where it is grey, else (h, w, 3).

        decompress_picture() gives its alpha and chunks too. Raises FormatError's children, ModelMismatch, WrongType.
        """
        return self.decompress_batch([data])[0]

    def restore(self, data: bytes | memoryview) -> Values:
        """decompress(), scaled back to the values that the picture was made of, where a window made it.

        Raises as decompress() does.
        """
        return self.decompress_picture(data).values()

    def decompress_batch(self, streams: Iterable[bytes | memoryview]) -> list[Pixels]:
        """The colours of each stream's picture. Raises as decompress() does, at a stream that is bad."""
        found = [self.decompress_picture(data) for data in streams_given(streams)]
        return [shown(picture.pixels, picture.grey) for picture in found]

    def decompress_picture(self, data: bytes | memoryview) -> Picture:
        """One stream's picture with its alpha and chunks. Raises FormatError's children, ModelMismatch."""
        stream = self.receive(data)
        _check_memory(stream.size, DECODING_BYTES_A_PIXEL, LimitExceeded)
        chunks = {name: content for name, content in stream.chunks.items() if name != WINDOW}
        packed_alpha = chunks.pop(ALPHA, None)
        pixels = decode_picture(self.model, stream.payloads, stream.level, stream.size)
        alpha = None if packed_alpha is None else unpack_alpha(packed_alpha, stream.size)  # a few bytes may be much
        if stream.grey:
            pixels = np.repeat(grey_of(pixels)[..., None], 3, axis=2)
        return Picture(pixels, stream.grey, alpha, chunks, stream.window)

    def spent(self, data: bytes | memoryview) -> PictureBits:
        """Where the bits of one stream's payloads went. Raises FormatError's children, ModelMismatch."""
        stream = self.receive(data)
        return picture_bits(self.model, stream.payloads, stream.level, stream.size)

    def receive(self, data: bytes | memoryview) -> PictureStream:
        """The fields of a stream of this model, everything checked but the payloads decoded.

        Raises FormatError's children, ModelMismatch.
        """
        stream, own = unpack_picture(data), self.fingerprint[:SHORT_FINGERPRINT_BYTES]
        if stream.short_fingerprint != own:
            raise ModelMismatch(
                f"the stream was made with model {stream.short_fingerprint.hex()}…, {self.model.name} is {own.hex()}…"
            )
        verify_picture(data, self.fingerprint)
        if stream.level >= len(self.model.betas):
            raise BadField(f"level at offset 1: {stream.level}, {self.model.name} has {len(self.model.betas)}")
        return stream


def shown(pixels: Pixels, grey: bool) -> Pixels:
    """What a reader gives of decoded pixels (h, w, 3): themselves, or the grey (h, w) of a grey picture."""
    return grey_of(pixels) if grey else pixels


def grey_of(pixels: Pixels) -> Pixels:
    """The rounded mean of the channels of (h, w, 3), uint8 (h, w): docs/format.md, section 17."""
    total = pixels.sum(axis=2, dtype=np.uint16)
    return np.asarray((total + 1) // 3, np.uint8)


def _check_memory(size: Size, bytes_a_pixel: int, error: type[ImageSizeError] | type[LimitExceeded]) -> None:
    """Raises the error for a picture beyond the limit, or that this machine cannot hold, before it is allocated for."""
    needed, there = size[0] * size[1] * bytes_a_pixel, memory_bytes()
    if there is not None and needed > there:
        raise error(
            f"picture of {size[0]}x{size[1]} pixels: needs some {needed / 1e9:.1f} GB, this machine has "
            f"{there / 1e9:.1f} GB"
        )
    if size[0] * size[1] > limits().picture_pixels:
        raise error(
            f"picture of {size[0]}x{size[1]} pixels: at most {limits().picture_pixels} pixels, unless --max-pixels "
            "says more"
        )


def _meets(coded: Coded, target: Target) -> bool:
    if target.target_bytes is not None:
        return len(coded.stream) <= target.target_bytes
    assert target.largest_mse is not None
    return coded.mse <= target.largest_mse


@lru_cache(maxsize=2)
def _read(path: Path, modified_ns: int) -> PhotoModel:
    return open_photo_model(path)


@lru_cache(maxsize=4)  # a pool unpickles a codec for each of its tasks
def _found_again(source: str, fingerprint: bytes) -> PhotographCodec:
    """The codec of a pickle. Raises ModelNotFound, and ModelMismatch where the model is another one here."""
    codec = PhotographCodec.load(source)
    if codec.fingerprint != fingerprint:
        raise ModelMismatch(f"{source}: the model here is {codec.fingerprint.hex()[:8]}…, not {fingerprint.hex()[:8]}…")
    return codec


def _of_bytes(data: bytes) -> PhotographCodec:
    """The codec of a pickle whose model had no name."""
    return PhotographCodec(PhotoModel.from_bytes(data))
