"""The rate-distortion figure: bytes an image against PSNR, one panel for each data set.

results of rate_distortion, classical, flagship and lossless (as stored) --draw--> rate-distortion.png

Learned codecs three ways: bytes of files (solid), payload (dashed), information content (dotted). Classical codecs by
the bytes of their files; what is stored losslessly stands on the line at the top, ours in black. A flagship is drawn
where its result is there, at effort 0, and by its files alone at the highest effort.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages.flat_png import write_flat_png
from benchmarks.pages.page import Result

DSPRITES_ENTROPY_BYTES = 2.43  # 19.44 bits: a uniform draw of the 715,800 or so distinct images
TOP_DB = 50.0  # lossy points above are left out; the lossless ones stand here
RATES = (("file_bytes", "-", "file"), ("payload_bytes", "--", "payload"), ("information_bytes", ":", "information"))
TITLES = {"mnist": "MNIST, 28×28, 8 bit", "dsprites": "dSprites, 64×64, 1 bit"}
VAE_COLOUR, ZOO_COLOUR, PCA_COLOUR, FLAGSHIP_COLOUR = "#c1272d", "#7b1fa2", "#555555", "#111111"
CLASSICAL_COLOURS = {
    "WebP": "#0072b2",
    "JPEG XL": "#009e73",
    "JPEG": "#e69f00",
    "JPEG 2000": "#cc79a7",
    "AVIF": "#56b4e9",
    "PNG": "#999933",
}


def draw_stored(folder: Path) -> Path:
    """The figure of the results in a folder, beside them."""
    path = folder / "rate-distortion.png"
    kinds = ("rate-distortion", "classical", "flagship", "lossless")
    swept, classical, flagships, lossless = (read_results(folder, kind) for kind in kinds)
    draw(swept, classical, path, flagships, lossless)
    return path


def read_results(folder: Path, kind: str, suffix: str = "") -> dict[str, dict[str, Any]]:
    """The stored results of a kind by data set, those that there are."""
    paths = {data: folder / f"{kind}-{data}{suffix}.json" for data in TITLES}
    return {data: json.loads(path.read_text(encoding="utf-8")) for data, path in paths.items() if path.is_file()}


def draw(
    results: Mapping[str, Result],
    classical: Mapping[str, Result],
    path: Path,
    flagships: Mapping[str, Result],
    lossless: Mapping[str, Result],
) -> None:
    """Write `path` (.png); the results by name of the data set."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"font.size": 10})
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(results), figsize=(7.2 * len(results), 6.6), squeeze=False)
    for panel, (data, result) in zip(panels[0], results.items(), strict=True):
        draw_panel(panel, data, result, classical.get(data, {"curves": []}), flagships.get(data, {"efforts": []}))
        if data in lossless:
            draw_exact(panel, lossless[data]["files"]["bytes"], FLAGSHIP_COLOUR)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    handles, labels = legend_of(panels[0])
    figure.legend(handles, labels, loc="lower center", ncol=2 + 3 * (len(results) > 1), frameon=False)
    write_flat_png(figure, path, dpi=130)
    pyplot.close(figure)


def draw_panel(panel: Any, data: str, result: Result, classical: Result, flagship: Result) -> None:
    """One data set."""
    draw_classical(panel, classical["curves"])
    panel.plot([], [], color="black", marker="v", markersize=8, linestyle="none", label="lossless, file (black: ours)")
    draw_three_ways(panel, pca_front(result["pca"]), "PCA", PCA_COLOUR, "s")
    sweep = sorted(result["sweep"], key=lambda run: run["beta"])
    draw_three_ways(panel, [run["point"] for run in sweep], "β-VAE sweep", VAE_COLOUR, "o")
    label_betas(panel, sweep)
    for model in result["zoo"]:
        draw_zoo(panel, model["point"])
    draw_flagship(panel, flagship["efforts"])
    if data == "dsprites":
        panel.axvline(DSPRITES_ENTROPY_BYTES, color="black", linewidth=1, linestyle="-.")
        text = f" entropy of dSprites,\n {DSPRITES_ENTROPY_BYTES} bytes an image"
        panel.text(DSPRITES_ENTROPY_BYTES, TOP_DB - 4, text, va="top", fontsize=8)
    images = result["data"]["images"]
    panel.set_title(f"{TITLES.get(data, data)}: {images:,} {result['data']['split']} images")
    panel.set_xscale("log")
    ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500]
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    panel.set_xlim(1, 700)
    panel.set_ylim(panel.get_ylim()[0], TOP_DB + 2.5)
    panel.set_yticks([*range(math.ceil(panel.get_ylim()[0] / 5) * 5, 50, 5), TOP_DB])
    panel.set_yticklabels([f"{tick:g}" if tick < TOP_DB else "exact" for tick in panel.get_yticks()])
    panel.minorticks_off()
    panel.grid(color="#dddddd", linewidth=0.6)
    panel.set_xlabel("bytes an image (log scale)")
    panel.set_ylabel("PSNR from the mean MSE, dB")


def draw_classical(panel: Any, curves: Sequence[Result]) -> None:
    """Files of the classical codecs; their lossless settings at the top."""
    for curve in curves:
        colour = CLASSICAL_COLOURS.get(curve["codec"], "black")
        lossy = [p for p in curve["points"] if p["psnr_db"] is not None and p["psnr_db"] < TOP_DB]
        exact = [p["file_bytes"] for p in curve["points"] if p["psnr_db"] is None]
        x, y = [p["file_bytes"] for p in lossy], [p["psnr_db"] for p in lossy]
        panel.plot(x, y, color=colour, linewidth=1.2, marker=".", label=f"{curve['codec']}, file")
        if exact:
            draw_exact(panel, min(exact), colour)


def draw_exact(panel: Any, file_bytes: float, colour: str) -> None:
    """Lossless files, at the top."""
    panel.plot([file_bytes], [TOP_DB], color=colour, marker="v", markersize=8, linestyle="none")


def draw_three_ways(panel: Any, points: Sequence[Result], name: str, colour: str, marker: str) -> None:
    """A learned codec's curve by each of its rates; a rate of 0 bytes has no place on a log axis."""
    for key, style, what in RATES:
        shown = [p for p in points if p[key] and p["psnr_db"] is not None]
        filled = colour if key == "file_bytes" else "white"
        panel.plot(
            [p[key] for p in shown],
            [p["psnr_db"] for p in shown],
            color=colour,
            linestyle=style,
            marker=marker,
            markersize=5 if key == "file_bytes" else 3.5,
            markerfacecolor=filled,
            linewidth=1.8 if key == "file_bytes" else 1.2,
            label=f"{name}, {what}",
        )


def label_betas(panel: Any, sweep: Sequence[Result]) -> None:
    """β below each point of the sweep's files, above the last one's, in white outlines."""
    from matplotlib import patheffects

    outline = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for number, run in enumerate(sweep):
        at, beside = (run["point"]["file_bytes"], run["point"]["psnr_db"]), (5, -11) if number else (-2, 7)
        text = panel.annotate(f"β={run['beta']:g}", at, beside, textcoords="offset points", fontsize=8, zorder=6)
        text.set(color=VAE_COLOUR, path_effects=outline)


def draw_zoo(panel: Any, point: Result) -> None:
    """A released model: a star at its files, smaller ones at its payload and information content."""
    for key, size in (("file_bytes", 14), ("payload_bytes", 8), ("information_bytes", 6)):
        label = "model of the zoo (file; small: payload, information)" if key == "file_bytes" else None
        options = {"marker": "*", "markersize": size, "linestyle": "none", "zorder": 5}
        filled = ZOO_COLOUR if key == "file_bytes" else "white"
        panel.plot([point[key]], [point["psnr_db"]], color=ZOO_COLOUR, markerfacecolor=filled, label=label, **options)


def draw_flagship(panel: Any, efforts: Sequence[Result]) -> None:
    """One model's whole curve, too many levels for a marker at each; beside it what effort makes of its files."""
    curves = {effort["effort"]: [one["point"] for one in effort["levels"]] for effort in efforts}
    if 0 in curves:
        draw_three_ways(panel, curves[0], "flagship, one model", FLAGSHIP_COLOUR, "")
    highest = max(curves, default=0)
    if highest:
        x, y = [p["file_bytes"] for p in curves[highest]], [p["psnr_db"] for p in curves[highest]]
        label = f"flagship, file at effort {highest}"
        panel.plot(x, y, color=FLAGSHIP_COLOUR, linewidth=1.0, marker="|", markersize=4, label=label)


def pca_front(points: Sequence[Result]) -> list[Result]:
    """The PCA settings that no other beats in both file bytes and MSE, in rising order of bytes."""
    best: list[Result] = []
    for candidate in sorted((entry["point"] for entry in points), key=lambda p: (p["file_bytes"], p["mse"])):
        if not best or candidate["mse"] < best[-1]["mse"]:
            best.append(candidate)
    return best


def legend_of(panels: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """Each label once, whichever panel has it first."""
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
