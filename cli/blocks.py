"""Pictures in a terminal: two pixels a letter, the upper one its ink and the lower one its ground (24-bit colour).

pixels (h, w) or (h, w, 3) ──at most `columns` wide──> lines of ▀
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels

RESET = "\x1b[0m"
HALF = "▀"


def blocks(pixels: Pixels, columns: int) -> Iterator[str]:
    """Lines of at most so many letters; a wider picture is made smaller, with its shape kept."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(pixels).convert("RGB")
    if picture.width > columns:
        height = max(1, round(picture.height * columns / picture.width))
        picture = picture.resize((columns, height), Image.Resampling.BOX)
    rows = np.asarray(picture)
    if len(rows) % 2:
        rows = np.concatenate([rows, rows[-1:]])
    for upper, lower in zip(rows[::2].tolist(), rows[1::2].tolist(), strict=True):
        yield "".join(_half(*pair) for pair in zip(upper, lower, strict=True)) + RESET


def _half(upper: list[int], lower: list[int]) -> str:
    ink, ground = (";".join(map(str, colour)) for colour in (upper, lower))
    return f"\x1b[38;2;{ink}m\x1b[48;2;{ground}m{HALF}"


def bars(parts: list[tuple[str, float]], columns: int) -> Iterator[str]:
    """A line a part: its name, its number of bits, and a bar as long as its share of the largest."""
    if not parts:
        return
    width = max(len(name) for name, _ in parts)
    largest = max(bits for _, bits in parts) or 1.0
    room = max(1, columns - width - 12)
    for name, bits in parts:
        yield f"{name:<{width}} {bits:8.2f}  {'█' * round(bits / largest * room)}"
