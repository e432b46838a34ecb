"""The classical codecs to compare with, each at the settings that suit small grey images best, through Pillow.

    image (h, w) or (h, w, 3) uint8 --encode--> whole file --decode--> image
                                       |--payload_size--> bytes without headers (headers.py has the rules)

Choices that were measured on MNIST and dSprites: PNG stores two-valued images with one bit a pixel; JPEG 2000 is the
bare codestream (a JP2 file costs 85 bytes more) with three resolutions; JPEG XL at effort 7 is the better one at equal
PSNR; lossless, effort 10 is smaller on MNIST and larger on dSprites, so both stand there; AVIF at speed 6 is within 4 %
of the bytes of speed 4.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from vaecodec.evaluation.headers import payload_bytes

Image8 = NDArray[np.uint8]  # (h, w) or (h, w, 3)

JPEG_QUALITIES = (5, 15, 40, 70, 90)
WEBP_QUALITIES = (0, 10, 20, 40, 60, 80)
AVIF_QUALITIES = (0, 10, 30, 50, 70)
JXL_QUALITIES = (0, 10, 20, 50, 80)
JPEG2000_PSNR_DB = (20, 25, 30, 35, 40)
NEEDED_FEATURE = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000", "JPEG": "jpg", "PNG": "zlib"}


@dataclass(frozen=True, slots=True)
class ClassicalCodec:
    """A codec of Pillow's at one setting: `name` for people, `image_format` Pillow's word, `options` for its writer."""

    name: str
    setting: str
    image_format: str
    options: tuple[tuple[str, object], ...]
    lossless: bool = False

    def encode(self, image: Image8) -> bytes:
        """A whole file: uint8 (h, w) or (h, w, 3) -> bytes."""
        picture = Image.fromarray(image)
        if self.image_format == "PNG" and bool(np.isin(image, (0, 255)).all()):
            picture = picture.convert("1", dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        picture.save(buffer, self.image_format, **dict(self.options))
        return buffer.getvalue()

    def decode(self, data: bytes, *, colour: bool = False) -> Image8:
        """The image of a file of this codec: bytes -> uint8 (h, w), or in colour (h, w, 3)."""
        with Image.open(io.BytesIO(data), formats=[self.image_format]) as picture:
            return np.array(picture.convert("RGB" if colour else "L"))

    def payload_size(self, data: bytes) -> int:
        """Bytes of the file without its headers."""
        return payload_bytes(self.image_format, data)


def available_formats() -> frozenset[str]:
    """Those of the formats that this machine's Pillow reads and writes; JXL where pillow-jxl-plugin is installed."""
    found = {image_format for image_format, feature in NEEDED_FEATURE.items() if features.check(feature)}
    try:
        import pillow_jxl  # noqa: F401  (registers itself with Pillow)
    except ImportError:
        return frozenset(found)
    return frozenset(found | {"JXL"})


def classical_codecs(names: Iterable[str] | None = None) -> tuple[ClassicalCodec, ...]:
    """Every setting of the codecs that this machine has, or only of those named ("PNG", "JPEG XL", ...)."""
    formats = available_formats()
    wanted = None if names is None else frozenset(names)
    return tuple(
        codec for codec in _all_settings() if codec.image_format in formats and (wanted is None or codec.name in wanted)
    )


def _all_settings() -> Iterable[ClassicalCodec]:
    yield ClassicalCodec("PNG", "optimize", "PNG", (("optimize", True),), lossless=True)
    for quality in JPEG_QUALITIES:
        yield ClassicalCodec("JPEG", f"q{quality}", "JPEG", (("quality", quality), ("optimize", True)))
    for quality in WEBP_QUALITIES:
        yield ClassicalCodec("WebP", f"q{quality} m6", "WEBP", (("quality", quality), ("method", 6)))
    lossless: tuple[tuple[str, object], ...] = (("lossless", True), ("quality", 100), ("method", 6))
    yield ClassicalCodec("WebP", "lossless m6", "WEBP", lossless, lossless=True)
    for quality in AVIF_QUALITIES:
        yield ClassicalCodec("AVIF", f"q{quality} s6", "AVIF", (("quality", quality), ("speed", 6), ("max_threads", 1)))
    bare: tuple[tuple[str, object], ...] = (("no_jp2", True), ("num_resolutions", 3))
    for psnr_db in JPEG2000_PSNR_DB:
        layers = (("quality_mode", "dB"), ("quality_layers", (psnr_db,)), ("irreversible", True))
        yield ClassicalCodec("JPEG 2000", f"{psnr_db} dB", "JPEG2000", (*bare, *layers))
    yield ClassicalCodec("JPEG 2000", "lossless", "JPEG2000", bare, lossless=True)
    for quality in JXL_QUALITIES:
        options = (("quality", quality), ("effort", 7), ("num_threads", 0))
        yield ClassicalCodec("JPEG XL", f"q{quality} e7", "JXL", options)
    for effort in (7, 10):
        options = (("lossless", True), ("effort", effort), ("num_threads", 0))
        yield ClassicalCodec("JPEG XL", f"lossless e{effort}", "JXL", options, lossless=True)
