"""Small pictures of every mode, and a folder of them in every container, for tests of what becomes of any picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, features

HEIGHT, WIDTH = 12, 17
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
COLOUR = np.stack([15 * COLUMNS, 20 * ROWS, 255 - 9 * (ROWS + COLUMNS)], axis=-1).astype(np.uint8)
ALPHA = (21 * ROWS).astype(np.uint8)
RGB = Image.fromarray(COLOUR)
GREY = RGB.convert("L")
EXACT = {"WEBP": {"lossless": True, "exact": True}, "JPEG2000": {"irreversible": False}}


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.fromarray(ALPHA))
    return image


def palette_with_transparency() -> Image.Image:
    image = RGB.quantize(16)
    image.info["transparency"] = bytes(range(0, 256, 16))
    return image


MODES = {
    "1": RGB.convert("1"),
    "L": GREY,
    "LA": with_alpha(GREY),
    "P": RGB.quantize(16),
    "P of greys": GREY.convert("P"),
    "P with transparency": palette_with_transparency(),
    "PA": with_alpha(RGB.quantize(16)),
    "RGB": RGB,
    "RGBA": with_alpha(RGB),
    "RGBX": RGB.convert("RGBX"),
    "YCbCr": RGB.convert("YCbCr"),
    "HSV": RGB.convert("HSV"),
    "CMYK": RGB.convert("CMYK"),
    "LAB": ImageCms.profileToProfile(
        RGB, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    ),
    "I": GREY.convert("I"),
    "F": GREY.convert("F"),
    "I;16": Image.fromarray(np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 300),
}
REFUSED = {"CMYK", "LAB", "I", "F", "I;16"}
CONTAINERS = [
    "PNG",
    "JPEG",
    "WEBP",
    "GIF",
    "TIFF",
    "BMP",
    "PPM",
    "TGA",
    "PCX",
    "SGI",
    "ICNS",
    "ICO",
    "DDS",
    "MSP",
]
CONTAINERS += [name for name, feature in [("AVIF", "avif"), ("JPEG2000", "jpg_2000")] if features.check(feature)]


def shown(image: Image.Image) -> np.ndarray:
    """What a viewer shows: RGBA, opaque where there is no transparency."""
    return np.asarray(ImageOps.exif_transpose(image).convert("RGBA"))


def mixed_folder(folder: Path, kinds: Sequence[str] = CONTAINERS) -> list[Path]:
    """A file of each mode in each of the containers that Pillow writes it in, and reads again."""
    paths = []
    for kind in kinds:
        for mode, image in MODES.items():
            path = folder / f"{mode.replace(';', '-')}.{kind.lower()}"
            try:
                image.save(path, kind, **EXACT.get(kind, {}))
                with Image.open(path) as again:
                    again.load()
            except (OSError, ValueError, KeyError, SystemError, TypeError, AssertionError):  # no such mode there
                path.unlink(missing_ok=True)
            else:
                paths.append(path)
    return paths
