"""The page of a report: one HTML file that needs nothing else, by page.html (Jinja), page.css and page.js.

Report ──template──> HTML: tables as text, pictures as PNG, diagrams as SVG, charts as JSON for plotly.js
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from vaecodec.arrays import Pixels
from vaecodec.codec.notebook import png
from vaecodec.evaluation.figures.chart import Chart
from vaecodec.evaluation.figures.drawing import draw
from vaecodec.evaluation.figures.registry import Drawn
from vaecodec.evaluation.figures.sheet import Sheet, animation
from vaecodec.evaluation.report.content import Report
from vaecodec.evaluation.report.plots import plot, script


def render(report: Report) -> str:
    """The HTML of a report."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        fixed=fixed, kind=_kind, named=_named, picture=_picture, moving=_moving, vector=_vector, json_text=json_text
    )
    plots = {
        f"plot-{shown.key}-{k}": plot(panel)
        for section in report.sections
        for shown in section.figures
        if isinstance(shown.drawn, Chart)
        for k, panel in enumerate(shown.drawn.panels)
    }
    page: str = environment.from_string(_text("page.html")).render(
        report=report,
        plots=plots,
        style=_text("page.css"),
        behaviour=_text("page.js"),
        plotly=script() if plots else "",
    )
    return page


def fixed(value: float, digits: int) -> str:
    """A number for people: so many digits after the point, thousands apart, a true minus."""
    return f"{value:,.{digits}f}".replace("-", "−")


def json_text(value: Mapping[str, Any]) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("</", "<\\/")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _kind(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _named(drawn: Drawn) -> str:
    return type(drawn).__name__.lower()


def _picture(pixels: Pixels) -> str:
    return _data_address("image/png", png(pixels))


def _moving(sheet: Sheet) -> str:
    return _data_address("image/apng", animation(sheet))


def _vector(drawn: Drawn) -> str:
    return _data_address("image/svg+xml", draw(drawn, svg=True))


def _data_address(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode('ascii')}"
