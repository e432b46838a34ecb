"""The figure of photographs: bits a pixel against PSNR and MS-SSIM, measured files and what papers printed.

results/photographs-kodak.json --draw--> photographs-kodak.png

Solid lines with markers are files that were measured here; thin dashed ones are published curves.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.photo_codecs import AVIF, AVIF_444, OURS, WEBP
from benchmarks.pages.flat_png import write_flat_png
from benchmarks.pages.page import Result

BPP = (0.09, 2.1)
PSNR_DB = (25.5, 41)
MS_SSIM_DB = (9, 25)
TICKS = (0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 1.5, 2.0)
COLOURS = {
    OURS: "#c1272d",
    WEBP: "#0072b2",
    "JPEG": "#e69f00",
    "JPEG XL e7": "#009e73",
    AVIF: "#56b4e9",
    AVIF_444: "#7b1fa2",
}
PUBLISHED = {
    "bpg_444_x265_ycbcr": ("BPG 4:4:4", "#999933"),
    "vtm": ("VTM (VVC intra)", "#444444"),
    "paper-bmshj2018-hyperprior": ("Ballé 2018, hyperprior", "#cc79a7"),
    "paper-mbt2018-mean": ("Minnen 2018, mean-scale", "#8c564b"),
    "paper-elic2022_mse": ("ELIC 2022", "#17becf"),
}


def draw(result: Result, path: Path) -> None:
    """Write `path` (.png) of a stored result."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"font.size": 10})
    from matplotlib import pyplot

    figure, (psnr, ms_ssim) = pyplot.subplots(1, 2, figsize=(14, 6.2))
    for name, points in result["curves"].items():
        rates = [point["file_bpp"] for point in points]
        draw_measured(psnr, name, rates, [point["mean_image_psnr_db"] for point in points])
        draw_measured(ms_ssim, name, rates, [-10 * math.log10(1 - point["ms_ssim"]) for point in points])
    for one in result["published"]:
        if one["id"] in PUBLISHED:
            label, colour = PUBLISHED[one["id"]]
            published_rates, decibels = zip(*one["points"], strict=True)
            psnr.plot(published_rates, decibels, "--", color=colour, linewidth=1, label=f"{label} (published)")
    finish(psnr, "PSNR, mean of the images, dB", PSNR_DB)
    finish(ms_ssim, "MS-SSIM, −10·log₁₀(1 − MS-SSIM), dB", MS_SSIM_DB)
    psnr.legend(loc="upper left", frameon=False, fontsize=9)
    data = result["data"]
    figure.suptitle(f"{data['source']}: whole files")
    figure.tight_layout()
    write_flat_png(figure, path, dpi=120)
    pyplot.close(figure)


def draw_measured(panel: Any, name: str, rates: Sequence[float], decibels: Sequence[float]) -> None:
    """One codec's files; ours thicker."""
    ours = name == OURS
    panel.plot(
        rates,
        decibels,
        color=COLOURS.get(name, "black"),
        marker="o" if ours else ".",
        markersize=5,
        linewidth=2.4 if ours else 1.4,
        zorder=5 if ours else 2,
        label=name,
    )


def finish(panel: Any, label: str, decibels: tuple[float, float]) -> None:
    """Axes of a panel."""
    panel.set_xscale("log")
    panel.set_xlim(*BPP)
    panel.set_ylim(*decibels)
    panel.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    panel.minorticks_off()
    panel.grid(color="#dddddd", linewidth=0.6)
    panel.set_xlabel("bits a pixel (log scale)")
    panel.set_ylabel(label)
