"""Charts, sheets and diagrams drawn by matplotlib; nothing else of this room imports it.

Chart ──axes, lines, points, intervals──┐
Sheet ──pictures in a grid──────────────┼──> SVG, PNG
Diagram ──boxes and arrows──────────────┘
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from vaecodec.evaluation.figures.chart import COLOURS, Chart, Panel, Series
from vaecodec.evaluation.figures.diagram import Box, Diagram
from vaecodec.evaluation.figures.sheet import Row, Sheet

PANEL_INCHES, TILE_INCHES, DPI = (6.4, 4.8), 0.95, 130
MARKERS = "osv^DPXd"
COLOUR_MAP = "viridis"
BOX, PITCH = (1.75, 0.8), (2.25, 1.3)  # of a diagram, inches


def draw(figure: Chart | Sheet | Diagram, *, svg: bool) -> bytes:
    """The bytes of an SVG or of a PNG."""
    if isinstance(figure, Chart):
        return _written(lambda: _chart(figure), svg=svg)
    if isinstance(figure, Sheet):
        return _written(lambda: _sheet(figure), svg=svg)
    return _written(lambda: _diagram(figure), svg=svg)


def draw_below_each_other(sheet: Sheet, chart: Chart, *, svg: bool) -> bytes:
    """One picture of both: a row of large pictures, and the chart's first panel below it."""

    def both() -> Any:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(2 * PANEL_INCHES[0], 1.8 * PANEL_INCHES[1]), layout="constrained")
        figure.suptitle(sheet.title)
        upper, lower = figure.subfigures(2, 1)
        _pictures(upper, sheet.rows[0], len(sheet.rows[0].tiles))
        place = lower.subplots()
        _panel(place, chart.panels[0], lower)
        place.set_title(chart.title)
        return figure

    return _written(both, svg=svg)


def _written(make: Callable[[], Any], *, svg: bool) -> bytes:
    import matplotlib

    matplotlib.use("Agg")
    options = {"font.size": 10, "svg.hashsalt": "vaecodec", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
    with matplotlib.rc_context(options):
        from matplotlib import pyplot

        drawn, buffer = make(), BytesIO()
        metadata = {"Date": None, "Creator": None} if svg else {"Software": None}
        drawn.savefig(buffer, format="svg" if svg else "png", dpi=DPI, metadata=metadata)
        pyplot.close(drawn)
    return buffer.getvalue()


def _chart(chart: Chart) -> Any:
    from matplotlib import pyplot

    width, height = PANEL_INCHES
    figure, axes = pyplot.subplots(
        1, len(chart.panels), figsize=(width * len(chart.panels), height), squeeze=False, layout="constrained"
    )
    for panel, place in zip(chart.panels, axes[0], strict=True):
        _panel(place, panel, figure)
    figure.suptitle(chart.title)
    _note(figure, chart.note)
    return figure


def _panel(place: Any, panel: Panel, figure: Any) -> None:
    values = [value for one in panel.series for value in one.values]
    for number, one in enumerate(panel.series):
        marks = _series(place, one, MARKERS[number % len(MARKERS)], values)
    if values:
        figure.colorbar(marks, ax=place, label=panel.what_values)
    place.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    if panel.log_x:
        place.set_xscale("log")
    if panel.log_y:
        place.set_yscale("log")
    if panel.ticks:
        place.set_xticks(range(len(panel.ticks)), panel.ticks)
    if panel.equal:
        place.set_aspect("equal", "datalim")
    place.grid(color="#dddddd", linewidth=0.6)
    place.set_axisbelow(True)
    if len(panel.series) > 1:
        place.legend(fontsize=8, frameon=False)


def _series(place: Any, one: Series, marker: str, values: list[float]) -> Any:
    """What a colour bar can be made of, where the points have values."""
    colour = COLOURS[one.colour % len(COLOURS)]
    if one.bars:
        return place.bar(one.x, one.y, color=colour, label=one.name)
    style = ("--" if one.dashed else "-") if one.line else "none"
    if one.values:
        limits = {"vmin": min(values), "vmax": max(values), "cmap": COLOUR_MAP}
        marks = place.scatter(one.x, one.y, c=one.values, marker=marker, s=60, edgecolors="black", **limits)
    else:
        size = 5 if len(one.x) < 200 else 2.5
        (marks,) = place.plot(one.x, one.y, linestyle=style, marker=marker, markersize=size, color=colour)
    marks.set_label(one.name)
    if one.low:
        below = [y - low for y, low in zip(one.y, one.low, strict=True)]
        above = [high - y for y, high in zip(one.y, one.high, strict=True)]
        place.errorbar(one.x, one.y, [below, above], fmt="none", ecolor=colour, capsize=3, linewidth=1)
    for x, y, label in zip(one.x, one.y, one.labels, strict=False):
        place.annotate(label, (x, y), (5, 4), textcoords="offset points", fontsize=7)
    return marks


def _sheet(sheet: Sheet) -> Any:
    from matplotlib import pyplot

    columns = max(len(row.tiles) for row in sheet.rows)
    size = (max(5.0, columns * TILE_INCHES), len(sheet.rows) * (TILE_INCHES + 0.42) + 0.7)
    figure = pyplot.figure(figsize=size, layout="constrained")
    figure.suptitle(sheet.title)
    parts = figure.subfigures(len(sheet.rows), 1, squeeze=False)[:, 0]
    for row, part in zip(sheet.rows, parts, strict=True):
        _pictures(part, row, columns)
    _note(figure, sheet.note)
    return figure


def _pictures(part: Any, row: Row, columns: int) -> None:
    """A row of pictures in a part of a figure."""
    part.suptitle(row.text, fontsize=8)
    places = part.subplots(1, columns, squeeze=False)[0]
    for place in places:
        place.set_axis_off()
    for tile, place in zip(row.tiles, places, strict=False):
        grey = {"cmap": "gray", "vmin": 0, "vmax": 255} if tile.pixels.ndim == 2 else {}
        place.imshow(tile.pixels, interpolation="nearest", **grey)
        place.text(0.5, -0.03, tile.caption, transform=place.transAxes, ha="center", va="top", fontsize=7)


def _diagram(diagram: Diagram) -> Any:
    from matplotlib import pyplot

    columns = max(box.column for box in diagram.boxes) + 1
    rows = max(box.row for box in diagram.boxes) + 1
    figure, place = pyplot.subplots(figsize=(columns * PITCH[0] + 0.4, rows * PITCH[1] + 0.8), layout="constrained")
    place.set(xlim=(-0.2, columns * PITCH[0]), ylim=(-rows * PITCH[1] - 0.1, 0.3), title=diagram.title)
    place.set_axis_off()
    for box in diagram.boxes:
        _box(place, box)
    centres = {
        box.name: (box.column * PITCH[0] + BOX[0] / 2, -box.row * PITCH[1] - BOX[1] / 2) for box in diagram.boxes
    }
    for arrow in diagram.arrows:
        start, end = (_edge(centres[a], centres[b]) for a, b in ((arrow.start, arrow.end), (arrow.end, arrow.start)))
        place.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#333333", "shrinkA": 0, "shrinkB": 0})
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        place.annotate(arrow.words, middle, (0, 4), textcoords="offset points", ha="center", fontsize=7)
    _note(figure, diagram.note)
    return figure


def _box(place: Any, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = box.column * PITCH[0], -box.row * PITCH[1] - BOX[1]
    colour = "#e8f1f8" if box.shaded else "white"
    place.add_patch(FancyBboxPatch((x, y), *BOX, boxstyle="round,pad=0,rounding_size=0.08", fc=colour, ec="#333333"))
    middle = x + BOX[0] / 2
    place.text(middle, y + BOX[1] - 0.12, box.title, ha="center", va="top", fontsize=9, weight="bold")
    place.text(middle, y + BOX[1] - 0.36, "\n".join(box.lines), ha="center", va="top", fontsize=7)


def _edge(box: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Where the line from a box's centre to another's leaves the box."""
    dx, dy = towards[0] - box[0], towards[1] - box[1]
    share = min(BOX[0] / 2 / abs(dx) if dx else 1.0, BOX[1] / 2 / abs(dy) if dy else 1.0)
    return box[0] + dx * share, box[1] + dy * share


def _note(figure: Any, note: str) -> None:
    """Below everything, in lines that fit."""
    if note:
        import textwrap

        letters = int(figure.get_size_inches()[0] * 15)
        figure.supxlabel("\n".join(textwrap.wrap(note, letters)), fontsize=7)
