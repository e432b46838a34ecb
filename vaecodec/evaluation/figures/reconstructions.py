"""Figure 4 of the paper: originals, and what their files decode to, with the bytes of each file; the ten worst images.

subject.images ──compress──> files ──decompress──> pictures, bytes below each
"""

import numpy as np
from numpy.typing import NDArray

from vaecodec.codec.quality import mse_of_each, psnr_db_from_mse
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile
from vaecodec.evaluation.figures.subject import Sources, spread

IMAGES, WORST = 10, 10


def reconstructions(sources: Sources) -> Sheet:
    """Originals in the first row, each model's reconstructions in a row of its own; the same images for all."""
    subjects = sources.need_subjects()
    chosen = spread(len(subjects[0].images), IMAGES)
    originals = subjects[0].images[chosen]
    rows = [Row("originals", tuple(Tile(picture) for picture in originals))]
    for subject in subjects:
        sizes, pictures = subject.compressed(chosen)
        tiles = (Tile(picture, size, "bytes") for picture, size in zip(pictures, sizes, strict=True))
        mse = float(mse_of_each(originals, pictures).mean())
        numbers = [("mean", float(np.mean(sizes)), "bytes", 1)]
        if mse:
            numbers.append(("PSNR", psnr_db_from_mse(mse), "dB", 2))
        rows.append(Row(subject.name, tuple(tiles), tuple(numbers)))
    return Sheet("Originals and reconstructions, with the bytes of each file", tuple(rows), note=NOTE)


NOTE = (
    "Images evenly spaced over the set, not chosen. Bytes are whole files, 7 of them the container's. A model with a "
    "lossless part writes the exact file wherever it is no larger."
)


def worst(sources: Sources) -> Sheet:
    """The images with the largest error: original, reconstruction, squared error; of the first subject."""
    subject = sources.need_subjects()[0]
    pictures = subject.decoded(subject.symbols)
    errors = mse_of_each(subject.images, pictures)
    chosen = np.argsort(-errors, kind="stable")[:WORST]
    shown = [(subject.images[k], pictures[k], error_map(subject.images[k], pictures[k])) for k in chosen]
    tiles = [
        (Tile(original), Tile(picture, psnr_db_from_mse(float(errors[k])), "dB", 1), Tile(error))
        for k, (original, picture, error) in zip(chosen, shown, strict=True)
        if errors[k]
    ]
    if not tiles:
        return Sheet(
            f"The worst images: {subject.name}", (Row("none differs from its original", (Tile(subject.images[0]),)),)
        )
    names = ("originals", "reconstructions, PSNR of the image", "absolute error")
    rows = tuple(Row(name, tuple(column)) for name, column in zip(names, zip(*tiles, strict=True), strict=True))
    note = f"The {len(tiles)} of {len(errors):,} images with the largest squared error."
    return Sheet(f"The {len(tiles)} worst images: {subject.name}", rows, note)


def error_map(original: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Absolute differences, white where they are largest."""
    return np.asarray(np.abs(original.astype(np.int16) - picture), dtype=np.uint8)
