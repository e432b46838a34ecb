"""What notebooks show of codecs and archives: a table of facts, and pictures side by side.

facts ──> HTML table        images, 8 bits each ──> contact sheet ──> PNG
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.arrays import Pixels, Symbols

if TYPE_CHECKING:
    from vaecodec.modelfile.model import Model

GAP = 2  # pixels between pictures, white
MOST_LEVELS = 8


def png(pixels: Pixels) -> bytes:
    """A PNG of pixels (h, w) or (h, w, 3)."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def contact_sheet(images: Sequence[Pixels], columns: int) -> Pixels:
    """Pictures of any sizes, grey or in colour, in rows, each in a cell of the largest; white between them."""
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    rows = -(-len(images) // columns)
    shape = (rows * (height + GAP) - GAP, min(columns, len(images)) * (width + GAP) - GAP)
    coloured = any(image.ndim == 3 for image in images)
    sheet = np.full((*shape, 3) if coloured else shape, 255, np.uint8)
    for number, image in enumerate(images):
        y, x = number // columns * (height + GAP), number % columns * (width + GAP)
        picture = np.repeat(image[..., None], 3, axis=2) if coloured and image.ndim == 2 else image
        sheet[y : y + image.shape[0], x : x + image.shape[1]] = picture
    return sheet


def html_of(title: str, facts: Sequence[tuple[str, str]], picture: bytes | None = None) -> str:
    """A table of facts under a title, with a PNG below it."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    image = ""
    if picture is not None:
        address = b64encode(picture).decode("ascii")
        image = f'<img src="data:image/png;base64,{address}" style="image-rendering: pixelated" alt="">'
    return f"<div><b>{escape(title)}</b><table>{rows}</table>{image}</div>"


def model_facts(model: Model) -> list[tuple[str, str]]:
    """What a model is, for people."""
    betas = [level.beta for level in model.levels]
    levels = "none" if not betas else f"{len(betas)}, β {max(betas):.3g}"
    return [
        ("family", model.family),
        ("images", " × ".join(str(side) for side in model.shape)),
        ("levels", f"{levels} … {min(betas):.3g}" if len(betas) > 1 else levels),
        ("latents", str(model.latents)),
        ("lossless", "yes" if model.has_lossless else "no"),
        ("fingerprint", model.fingerprint.hex()[:16]),
    ]


def cheapest_symbols(model: Model) -> list[tuple[int, Symbols]]:
    """(level, symbols (1, n)) of what each of some levels codes in the fewest bits: every latent's likeliest symbol."""
    chosen = np.unique(np.linspace(0, len(model.levels) - 1, MOST_LEVELS).round().astype(int)) if model.levels else ()
    found = []
    for level in chosen:
        tables = model.levels[level].tables
        likeliest = tables.offsets + tables.counts[:, :-1].argmax(axis=1)
        found.append((int(level), tables.fill_collapsed(likeliest.astype(np.int32))[None]))
    return found
