"""Diagram: boxes in a grid with arrows between them, as data; drawing.py draws it.

Box (title, lines, place) ──Arrow (words on it)──> Box
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """title in bold, lines below it. column, row: its place, from the top left. shaded: data rather than a step."""

    name: str
    title: str
    lines: tuple[str, ...]
    column: float
    row: float
    shaded: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a box to another, by their names."""

    start: str
    end: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Raises ValueError for an arrow to nowhere."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    note: str = ""

    def __post_init__(self) -> None:
        names = {box.name for box in self.boxes}
        if unknown := {end for arrow in self.arrows for end in (arrow.start, arrow.end)} - names:
            raise ValueError(f"diagram {self.title!r}: no box {sorted(unknown)}")
