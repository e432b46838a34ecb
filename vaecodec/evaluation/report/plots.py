"""Charts as interactive plots: the only file that imports Plotly.

Panel ──traces and layout──> JSON of one plot ──script of the page──> drawn by plotly.js, which the page holds once
"""

from typing import Any

from vaecodec.evaluation.figures.chart import COLOURS, Panel, Series

SYMBOLS = ("circle", "square", "triangle-up", "triangle-down", "diamond", "cross", "x", "pentagon", "star", "hexagon")
MANY_POINTS = 200


def script() -> str:
    """plotly.js, the whole library as one text."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


def plot(panel: Panel) -> dict[str, Any]:
    """{"data": …, "layout": …} of one panel, checked by Plotly's own names."""
    from plotly.graph_objects import Figure

    values = [value for one in panel.series for value in one.values]
    limits = (min(values), max(values)) if values else (0.0, 1.0)
    traces = [_trace(one, k, panel.what_values, limits) for k, one in enumerate(panel.series)]
    found: dict[str, Any] = Figure({"data": traces, "layout": _layout(panel)}, skip_invalid=False).to_plotly_json()
    found["layout"].pop("template", None)
    return found


def _trace(one: Series, number: int, what_values: str, limits: tuple[float, float]) -> dict[str, Any]:
    colour = COLOURS[one.colour % len(COLOURS)]
    if one.bars:
        return {"type": "bar", "name": one.name, "x": list(one.x), "y": list(one.y), "marker": {"color": colour}}
    marker: dict[str, Any] = {
        "symbol": SYMBOLS[number % len(SYMBOLS)],
        "color": list(one.values) or colour,
        "size": 4 if len(one.x) > MANY_POINTS else 12 if one.values else 8,
    }
    if one.values:
        marker |= {"cmin": limits[0], "cmax": limits[1], "colorscale": "Viridis", "showscale": True}
        marker |= {
            "colorbar": {"title": {"text": what_values}, "thickness": 12},
            "line": {"width": 1, "color": "black"},
        }
    mode = "lines+markers" if one.line else "markers"
    trace: dict[str, Any] = {
        "type": "scatter",
        "name": one.name,
        "x": list(one.x),
        "y": list(one.y),
        "mode": f"{mode}+text" if one.labels else mode,
        "marker": marker,
        "line": {"color": colour, "dash": "dash" if one.dashed else "solid"},
    }
    if one.labels:
        trace |= {"text": list(one.labels), "textposition": "top right", "textfont": {"size": 10}, "cliponaxis": False}
    if one.low:
        above = [high - y for high, y in zip(one.high, one.y, strict=True)]
        below = [y - low for low, y in zip(one.low, one.y, strict=True)]
        trace["error_y"] = {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
    return trace


def _layout(panel: Panel) -> dict[str, Any]:
    x: dict[str, Any] = {"title": {"text": panel.x_label}, "type": "log" if panel.log_x else "linear"}
    y: dict[str, Any] = {"title": {"text": panel.y_label}, "type": "log" if panel.log_y else "linear"}
    if panel.ticks:
        x |= {"tickvals": list(range(len(panel.ticks))), "ticktext": list(panel.ticks)}
    if panel.equal:
        y["scaleanchor"] = "x"
    grid = {"gridcolor": "#dddddd", "zeroline": False, "linecolor": "#333333", "automargin": True}
    return {
        "title": {"text": panel.title.replace("\n", "<br>"), "font": {"size": 14}, "x": 0, "pad": {"l": 8}},
        "xaxis": x | grid,
        "yaxis": y | grid,
        "plot_bgcolor": "white",
        "paper_bgcolor": "white",
        "font": {"size": 11},
        "height": 420,
        "margin": {"l": 50, "r": 10, "t": 50, "b": 45},
        "legend": {"orientation": "h", "y": -0.2},
    }
