"""The flagship beside the classical codecs, three ways (studies/anchors.py), and what compress() writes by quality.

results/{classical,flagship}-DATA.json ──anchors──> table
results/whole-curve-DATA.json ────────────────────> table
"""

from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import Result
from benchmarks.studies.anchors import anchors

HEAD = (
    "BD-rate (PSNR, effort 0) against",
    "test images",
    "whole files",
    "payload, containers stripped",
    "exact files too",
)
NOTE = (
    "The payload is what is left of a file without its header and container. With exact files too, each side's bytes "
    "are at most those of its exact file, which it could send instead."
)


def anchors_table(data: str, classical: Result, flagship: Result) -> str:
    """Every classical codec with lossy points."""
    rows = [
        (one.codec, f"{one.images:,}", *(_rate(rate) for rate in (one.files, one.payloads, one.exact_too)))
        for one in anchors(data, classical, flagship)
    ]
    return f"{markdown(HEAD, rows)}\n\n{NOTE}"


def qualities_table(result: Result) -> str:
    """Mean bytes and PSNR of the files of each quality, and how many of them are exact."""
    images = result["data"]["images"]
    head = ("quality", "file, bytes", "PSNR, dB", "exact files")
    rows = [
        (
            str(point["quality"]),
            f"{point['mean_bytes']:.1f}",
            "exact" if point["psnr_db"] is None else f"{point['psnr_db']:.2f}",
            f"{point['exact'] / images:.1%}",
        )
        for point in result["points"]
    ]
    title = (
        f"What `compress` writes with {result['model']['name']} over {images:,} test images: at each quality the "
        "smaller of the level's file and the exact one."
    )
    return f"{title}\n\n{markdown(head, rows)}"


def _rate(rate: float | None) -> str:
    return "no range shared" if rate is None else f"{rate:+.1f} %"
