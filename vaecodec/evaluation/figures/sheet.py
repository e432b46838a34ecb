"""Sheet: a figure of pictures in rows, each with its caption, as data; drawing.py and the report lay it out.

Tile (pixels, caption) ──several──> Row (heading) ──several──> Sheet
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from vaecodec.arrays import Pixels
from vaecodec.codec.notebook import contact_sheet

FRAME_MS = 90  # of an animation


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """pixels: uint8 (h, w) or (h, w, 3). number: what the caption says of it, in `unit`; None where nothing."""

    pixels: Pixels
    number: float | None = None
    unit: str = ""
    digits: int = 0

    @property
    def caption(self) -> str:
        """The number with its unit."""
        return "" if self.number is None else f"{self.number:.{self.digits}f} {self.unit}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Pictures under one heading, which may hold numbers of its own: (name, value, unit, digits)."""

    heading: str
    tiles: tuple[Tile, ...]
    numbers: tuple[tuple[str, float, str, int], ...] = ()

    @property
    def text(self) -> str:
        """Heading and numbers."""
        return " · ".join([self.heading, *(f"{n} {v:.{d}f} {u}".strip() for n, v, u, d in self.numbers)])


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Rows of pictures. note: what the pictures cannot say."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""

    def numbers(self) -> Iterator[float]:
        """Every number in it."""
        for row in self.rows:
            yield from (number[1] for number in row.numbers)
            yield from (tile.number for tile in row.tiles if tile.number is not None)


def animation(sheet: Sheet) -> bytes:
    """An APNG: frame k has the k-th picture of every row, rows below each other, there and back again.

    Raises ValueError where rows differ in length.
    """
    from PIL import Image

    counts = {len(row.tiles) for row in sheet.rows}
    if len(counts) != 1:
        raise ValueError(f"animation: rows of {sorted(counts)} pictures, expected one length")
    steps = range(counts.pop())
    order = [*steps, *reversed(steps[1:-1])]
    frames = [
        Image.fromarray(contact_sheet([row.tiles[k].pixels for row in sheet.rows], len(sheet.rows))) for k in order
    ]
    buffer = BytesIO()
    frames[0].save(buffer, format="PNG", save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0)
    return buffer.getvalue()
