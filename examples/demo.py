"""The main job on real images, with the runtime install alone: `make demo`, or `python examples/demo.py`.

examples/*.png --compress--> demo-output/<data>/*.vae --read back, decompress--> *.png beside them

The table counts every byte of the files on the disk; <data>.png shows original, decoded, and WebP at its smallest.
photograph.py beside this file does the same to a photograph.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from photograph import show_photograph
from PIL import Image, ImageDraw, ImageFont

import vaecodec
from vaecodec.codec.images import read_grey
from vaecodec.evaluation import psnr_of_set
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs

EXAMPLES = Path(__file__).parent
OUTPUT = EXAMPLES.parent / "demo-output"
MODELS = {"mnist": "mnist", "dsprites": "dsprites"}
MOST_BYTES = {"mnist": 25, "dsprites": 14}  # of a file
PICTURES = {"mnist": ("digit-",), "dsprites": ("square-", "ellipse-", "heart-")}
TITLES = {"mnist": "MNIST digits", "dsprites": "dSprites"}
SMALLEST_WEBP = "q0 m6"
WANTED = {
    ("PNG", "optimize"): "PNG",
    ("WebP", SMALLEST_WEBP): "WebP, smallest (quality 0)",
    ("WebP", "lossless m6"): "WebP, lossless",
    ("JPEG XL", "q10 e7"): "JPEG XL, quality 10",
    ("JPEG XL", "lossless e7"): "JPEG XL, lossless",
    ("JPEG 2000", "20 dB"): "JPEG 2000, 20 dB",
    ("AVIF", "q0 s6"): "AVIF, quality 0",
}
TILE_PX, GAP_PX, MARGIN_PX = 128, 8, 150

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Row:
    """One codec on the images of one set: mean file size, and PSNR from the mean MSE (infinite where exact)."""

    codec: str
    file_bytes: float
    file_bpp: float
    psnr_db: float


def main(models: Mapping[str, str] = MODELS, output: Path = OUTPUT) -> int:
    """Compress, decompress, compare and draw, each set of pictures with the model that `models` names for it."""
    started = time.monotonic()
    for data, model in models.items():
        names, originals = read_pictures(PICTURES[data])
        codec = vaecodec.load(model)
        decoded, sizes = through_files(codec, originals, names, output / data, MOST_BYTES[data])
        smallest, rows = compare_classical(originals)
        ours = measured(f"vaecodec, {codec.model.name}", originals, decoded, sizes)
        print_table(f"{TITLES[data]}: {len(originals)} real test images from examples/", [ours, *rows])
        lines = [("original", originals), ("vaecodec", decoded), ("WebP, smallest", smallest)]
        bytes_of = [None, ours.file_bytes, next(row.file_bytes for row in rows if "smallest" in row.codec)]
        picture = side_by_side([(label, size, tiles) for (label, tiles), size in zip(lines, bytes_of, strict=True)])
        picture.save(output / f"{data}.png")
        print(f"pictures: {output / data}.png    files: {output / data}/*.vae\n")
    show_photograph(output)
    print(
        f"done in {time.monotonic() - started:.1f} s; try it yourself: vaecodec compress examples/digit-7.png seven.vae"
    )
    return 0


def read_pictures(prefixes: Sequence[str]) -> tuple[list[str], Grey]:
    """Names and pixels uint8 (n, h, w) of the example pictures whose names begin so."""
    paths = sorted(path for path in EXAMPLES.glob("*.png") if path.name.startswith(tuple(prefixes)))
    return [path.stem for path in paths], np.stack([read_grey(path) for path in paths])


def through_files(
    codec: vaecodec.Codec, images: Grey, names: Sequence[str], folder: Path, most_bytes: int
) -> tuple[Grey, list[int]]:
    """Compress each image into a file of at most so many bytes; decode what the disk has into images and PNGs."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.vae" for name in names]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(codec.compress(image, target_bytes=most_bytes, effort=1))
    decoded = [codec.decompress(path.read_bytes()) for path in paths]
    for path, image in zip(paths, decoded, strict=True):
        Image.fromarray(image).save(path.with_suffix(".png"))
    return np.stack(decoded), [path.stat().st_size for path in paths]


def compare_classical(images: Grey) -> tuple[Grey, list[Row]]:
    """WebP's pictures at its smallest, and the rows of the classical codecs that this Pillow has."""
    smallest, rows = images, []
    for codec in classical_codecs():
        if (codec.name, codec.setting) not in WANTED:
            continue
        files = [codec.encode(image) for image in images]
        decoded = np.stack([codec.decode(data) for data in files])
        rows.append(measured(describe(codec), images, decoded, [len(data) for data in files]))
        if (codec.name, codec.setting) == ("WebP", SMALLEST_WEBP):
            smallest = decoded
    return smallest, sorted(rows, key=lambda row: row.file_bytes)


def describe(codec: ClassicalCodec) -> str:
    """The name for the table."""
    return WANTED[codec.name, codec.setting]


def measured(name: str, originals: Grey, decoded: Grey, sizes: Sequence[int]) -> Row:
    """Means over the images."""
    file_bytes = float(np.mean(sizes))
    return Row(name, file_bytes, 8 * file_bytes / originals[0].size, psnr_of_set(originals, decoded))


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Means over the images; PSNR from the mean MSE."""
    print(title)
    print(f"  {'codec':34}{'bytes':>8}{'bpp':>8}{'PSNR':>10}")
    for row in rows:
        psnr = "exact" if np.isinf(row.psnr_db) else f"{row.psnr_db:.2f} dB"
        print(f"  {row.codec:34}{row.file_bytes:8.1f}{row.file_bpp:8.3f}{psnr:>10}")
    if not any("JPEG XL" in row.codec for row in rows):
        print("  (no JPEG XL: this Pillow has none; pip install pillow-jxl-plugin adds it)")


def side_by_side(lines: Sequence[tuple[str, float | None, Grey]]) -> Image.Image:
    """One line of enlarged pictures for each (label, mean bytes, images), under one another."""
    pitch = TILE_PX + GAP_PX
    width = MARGIN_PX + len(lines[0][2]) * pitch + GAP_PX
    sheet = Image.new("L", (width, len(lines) * pitch + GAP_PX), 96)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for row, (label, file_bytes, images) in enumerate(lines):
        top = GAP_PX + row * pitch
        text = label if file_bytes is None else f"{label}\n{file_bytes:.1f} bytes each"
        pen.multiline_text((GAP_PX, top + TILE_PX // 2 - 12), text, fill=255, font=font)
        for column, image in enumerate(images):
            tile = Image.fromarray(image).resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST)
            sheet.paste(tile, (MARGIN_PX + column * pitch, top))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
