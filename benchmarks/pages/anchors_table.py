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


def known_by_heart_lines(result: Result) -> list[str]:
    """What dSprites costs who knows the set, for a measure of how little that is."""
    copied, drawn = result["copied"], result["drawn"]
    return [
        f"dsprites, the nearest of {copied['training_images']:,} training images copied: {copied['file_bytes']} bytes "
        f"at {copied['psnr_db']:.2f} dB, over {copied['images']:,} test images; a memory, no codec",
        f"dsprites, this project's renderer, the factors from the set: {drawn['index_bits']:.1f} bits and "
        f"{drawn['residual_bits']:.1f} of wrong pixels, exact in {drawn['file_bytes']:.2f} bytes with 7 of a stream's; "
        f"without the wrong pixels {drawn['index_only_psnr_db']:.2f} dB. It knows the program behind the set, which no "
        "codec of other pictures does",
    ]


def _rate(rate: float | None) -> str:
    return "no range shared" if rate is None else f"{rate:+.1f} %"
