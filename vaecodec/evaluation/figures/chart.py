"""Chart: a figure of lines and points as data; drawing.py (matplotlib) and the report's plots.py (Plotly) draw it.

Series (x, y, intervals, labels) ──several──> Panel (axes) ──several──> Chart
"""

from collections.abc import Iterator
from dataclasses import dataclass

# Okabe & Ito 2008, and two of Tol's: told apart by people who see few colours, and in print by their markers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000", "#882255", "#44aa99")


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y) under one name.

    low, high: of an interval around y. labels: of each point. colour: 0, 1, 2 … values: a number of each point, told by
    its colour, in place of `colour`. line: whether the points are joined. bars: whether they are the tops of bars.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    line: bool = True
    dashed: bool = False
    bars: bool = False
    colour: int = 0

    def __post_init__(self) -> None:
        for part in (self.y, self.low, self.high, self.labels, self.values):
            if part and len(part) != len(self.x):
                raise ValueError(f"series {self.name!r}: {len(self.x)} places and {len(part)} values")


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes.

    what_values: what the colour of points means, where series have values. ticks: words at x = 0, 1, 2 …, where x is no
    number.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    log_y: bool = False
    what_values: str = ""
    equal: bool = False
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels side by side. note: what the picture cannot say."""

    title: str
    panels: tuple[Panel, ...]
    note: str = ""

    def numbers(self) -> Iterator[float]:
        """Every number in it."""
        for panel in self.panels:
            for one in panel.series:
                for part in (one.x, one.y, one.low, one.high, one.values):
                    yield from part
