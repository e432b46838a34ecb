"""A photograph through a file of ours, beside WebP and AVIF files that have at least as many bytes.

examples/photograph-*.png --compress--> demo-output/photograph/*.vae --read back, decompress--> *.png beside it
                          --WebP, AVIF, the lowest quality that is no smaller--> photograph.png: all four, and a detail;
                                                                                photograph-detail.png: it alone
"""

import io
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import vaecodec
from vaecodec.codec.quality import mse, psnr_db_from_mse
from vaecodec.errors import ModelNotFound
from vaecodec.evaluation.classical import available_formats

EXAMPLE = Path(__file__).parent / "photograph-canyon-wren.png"
MODEL = "photo"
MOST_BYTES = 5000  # 0.18 bits a pixel: where the differences can be seen
RIVALS = {"WebP": ("WEBP", {"method": 6}), "AVIF": ("AVIF", {"speed": 6})}
QUALITIES = range(101)
DETAIL = (190, 40, 334, 136)  # left, top, right, bottom: the bird's head
ENLARGED, ENLARGED_IN_STRIP = 4, 2
DETAIL_COLOURS = 200
GAP_PX, LINE_PX = 8, 24

Colour = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Version:
    """A picture as it came out of a file; size_bytes None: the original."""

    name: str
    pixels: Colour
    size_bytes: int | None

    def label(self, original: Colour) -> str:
        """Name, bytes and PSNR."""
        if self.size_bytes is None:
            return self.name
        return f"{self.name}: {self.size_bytes:,} bytes, {psnr_db_from_mse(mse(self.pixels, original)):.2f} dB"


def show_photograph(output: Path, model: str = MODEL) -> None:
    """Compress, decompress, compare and draw; a line instead where the model is not installed."""
    try:
        codec = vaecodec.load(model)
    except ModelNotFound:
        print("photograph: left out, no photograph model is installed yet (vaecodec models add FILE)\n")
        return
    original = np.asarray(Image.open(EXAMPLE).convert("RGB"))
    folder = output / "photograph"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{EXAMPLE.stem}.vae"
    path.write_bytes(codec.compress(original, target_bytes=MOST_BYTES))
    decoded = codec.decompress(path.read_bytes())
    Image.fromarray(decoded).save(path.with_suffix(".png"))
    ours = Version("vaecodec", decoded, path.stat().st_size)
    versions = [Version("original", original, None), ours, *rivals(original, ours)]
    print(f"a photograph of {original.shape[1]}x{original.shape[0]} pixels")
    for version in versions[1:]:
        print(f"  {version.label(original)}")
    contact_sheet(versions).save(output / "photograph.png")
    detail_strip(versions).quantize(DETAIL_COLOURS).save(output / "photograph-detail.png", optimize=True)
    print(f"picture: {output / 'photograph.png'}    file: {path}\n")


def rivals(original: Colour, ours: Version) -> list[Version]:
    """WebP and AVIF, as far as this Pillow has them, at the lowest quality whose file is no smaller than ours."""
    assert ours.size_bytes is not None
    found = []
    for name, (image_format, options) in RIVALS.items():
        if image_format not in available_formats():
            continue
        at_quality = partial(encoded, original, image_format, options)
        quality = bisect_left(QUALITIES, ours.size_bytes, key=lambda quality: len(at_quality(quality)))
        data = at_quality(min(quality, QUALITIES[-1]))
        found.append(Version(name, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), len(data)))
    return found


def encoded(pixels: Colour, image_format: str, options: Mapping[str, object], quality: int) -> bytes:
    """A whole file by Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, quality=quality, **options)
    return buffer.getvalue()


def detail_strip(versions: Sequence[Version]) -> Image.Image:
    """The details side by side, each below what it is of: the README's picture."""
    left, top, right, bottom = DETAIL
    size = ((right - left) * ENLARGED_IN_STRIP, (bottom - top) * ENLARGED_IN_STRIP)
    strip = Image.new("RGB", (len(versions) * (size[0] + GAP_PX) - GAP_PX, size[1] + LINE_PX), (255, 255, 255))
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(14)
    for number, version in enumerate(versions):
        x = number * (size[0] + GAP_PX)
        pen.text((x, 3), version.label(versions[0].pixels), fill=(0, 0, 0), font=font)
        strip.paste(Image.fromarray(version.pixels).crop(DETAIL).resize(size, Image.Resampling.NEAREST), (x, LINE_PX))
    return strip


def contact_sheet(versions: Sequence[Version]) -> Image.Image:
    """Two columns: each picture whole with its detail enlarged below, and a line that says what it is."""
    original = versions[0].pixels
    height, width = original.shape[:2]
    left, top, right, bottom = DETAIL
    detail_size = ((right - left) * ENLARGED, (bottom - top) * ENLARGED)
    cell = (max(width, detail_size[0]) + GAP_PX, height + detail_size[1] + LINE_PX + 2 * GAP_PX)
    sheet = Image.new("RGB", (2 * cell[0] + GAP_PX, -(-len(versions) // 2) * cell[1]), (28, 28, 28))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, version in enumerate(versions):
        x, y = GAP_PX + number % 2 * cell[0], number // 2 * cell[1]
        picture = Image.fromarray(version.pixels)
        pen.text((x, y + 3), version.label(original), fill=(255, 255, 255), font=font)
        sheet.paste(picture, (x, y + LINE_PX))
        detail = picture.crop(DETAIL).resize(detail_size, Image.Resampling.NEAREST)
        sheet.paste(detail, (x, y + LINE_PX + height + GAP_PX))
    return sheet
