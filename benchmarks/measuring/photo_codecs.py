"""What codes photographs, one setting each: Pillow's formats as people use them, and a model of ours at a level.

    pixels uint8 (h, w, 3) --encode--> whole file --decode--> pixels

"AVIF" alone is Pillow's as it comes (4:2:0, tuned to the eye); 4:4:4 tuned for PSNR is what a claim about PSNR must be
made against.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from vaecodec.arrays import Pixels
from vaecodec.evaluation.classical import available_formats

JPEG_QUALITIES = (5, 12, 25, 50, 78, 88, 92)
WEBP_QUALITIES = (0, 5, 12, 25, 40, 55, 70, 78, 84, 90, 95)
AVIF_QUALITIES = (5, 15, 25, 35, 42, 50, 57, 64, 70, 76, 82)
AVIF_444_QUALITIES = (5, 15, 30, 45, 58, 68, 76)
JXL_QUALITIES = (5, 22, 35, 50, 73, 87, 91)
OURS, WEBP = "vaecodec", "WebP m6"  # names of curves
AVIF, AVIF_444 = "AVIF", "AVIF 4:4:4 s4 psnr"


@dataclass(frozen=True, slots=True)
class PhotoCodec:
    """A codec at one setting: `name` of the curve, and how it codes."""

    name: str
    setting: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[bytes], Pixels]


@dataclass(frozen=True, slots=True)
class PillowFormat:
    """A format of Pillow's with the options of its writer."""

    image_format: str
    options: tuple[tuple[str, Any], ...]

    def encode(self, pixels: Pixels) -> bytes:
        """The whole file of uint8 (h, w, 3)."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, self.image_format, **dict(self.options))
        return buffer.getvalue()

    def decode(self, data: bytes) -> Pixels:
        """uint8 (h, w, 3)."""
        with Image.open(io.BytesIO(data), formats=[self.image_format]) as image:
            return np.asarray(image.convert("RGB"))


def pillow_codec(name: str, image_format: str, quality: int, **options: Any) -> PhotoCodec:
    """A format of Pillow's at a quality."""
    written = PillowFormat(image_format, (("quality", quality), *options.items()))
    return PhotoCodec(name, f"q{quality}", written.encode, written.decode)


def anchors() -> Iterator[PhotoCodec]:
    """Every setting of the formats that this machine's Pillow has, those first that claims are made against."""
    formats = available_formats()
    for name, image_format, qualities, options in _anchors():
        if image_format in formats:
            for quality in qualities:
                yield pillow_codec(name, image_format, quality, **options)


def _anchors() -> Iterable[tuple[str, str, tuple[int, ...], dict[str, Any]]]:
    yield WEBP, "WEBP", WEBP_QUALITIES, {"method": 6}
    tuned = {"speed": 4, "subsampling": "4:4:4", "advanced": {"tune": "psnr"}, "max_threads": 1}
    yield AVIF_444, "AVIF", AVIF_444_QUALITIES, tuned
    yield AVIF, "AVIF", AVIF_QUALITIES, {"speed": 6, "subsampling": "4:2:0", "max_threads": 1}
    yield "JPEG", "JPEG", JPEG_QUALITIES, {"optimize": True, "progressive": True, "subsampling": "4:2:0"}
    yield "JPEG XL e7", "JXL", JXL_QUALITIES, {"effort": 7, "num_threads": 1}
