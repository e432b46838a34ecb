"""docs/results.md, and the block of the README that readme_tables.py makes, from what is stored.

results/*.json ──render──> docs/results.md, whole
               └─summary──> README.md, between <!-- results:begin --> and its end
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measuring.machine import ROOT
from benchmarks.pages import flagship_table, photograph_tables
from benchmarks.pages.anchors_table import anchors_table, known_by_heart_lines, qualities_table
from benchmarks.pages.archive_table import archive_lines
from benchmarks.pages.lossless_table import lossless_lines
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET, README, TITLES, Result, read, replace_block
from benchmarks.pages.point_rows import POINT_HEAD, compare_rows
from benchmarks.pages.readme_tables import summary

PAGE = ROOT / "docs" / "results.md"
MARKERS = ("<!-- results:begin -->", "<!-- results:end -->")
HEAD = """# Results

Made by `python -m benchmarks.table` from benchmarks/results/, where each number has its command, seed and versions.
Whole test sets, unless a row says over how many of their images; bytes counted on the disk, PSNR from the mean MSE over
the images. The paper's systems: docs/families.md.
"""


def pages(folder: Path) -> dict[Path, str]:
    """What the page and the README should say, by the results in a folder."""
    readme = README.read_text(encoding="utf-8")
    return {PAGE: render(folder), README: replace_block(readme, summary(folder), MARKERS)}


def render(folder: Path) -> str:
    """docs/results.md, from the results in a folder; a result that is not there is said to be missing."""
    parts = [HEAD.strip()]
    for data in TITLES:
        classical = read(folder / f"classical-{data}.json") or {"curves": []}
        parts.append(set_tables(data, read(folder / f"rate-distortion-{data}.json"), classical))
        flagship = read(folder / f"flagship-{data}.json")
        if flagship is not None:
            parts += [*flagship_table.tables(flagship), anchors_table(data, classical, flagship)]
        qualities = read(folder / f"whole-curve-{data}.json")
        if qualities is not None:
            parts.append(qualities_table(qualities))
    photographs = read(folder / "photographs-kodak.json")
    parts += [] if photographs is None else photograph_tables.tables(photographs)
    parts.append("## What is promised, and measured\n\n" + promises(folder))
    return "\n\n".join(parts) + "\n"


def set_tables(data: str, result: Result | None, classical: Result) -> str:
    """One data set: the released models beside the others, and the sweep."""
    if result is None:
        return f"## {TITLES[data]}\n\n{NOT_YET}"
    head = f"## {TITLES[data]}: {result['data']['images']:,} {result['data']['split']} images"
    beside = markdown(POINT_HEAD, compare_rows(result, classical))
    shared = [amortised_line(model) for model in result["zoo"]]
    sweep = markdown(
        (
            "β",
            "file, bytes",
            "payload",
            "information",
            "PSNR, dB",
            "mean image PSNR",
            "MS-SSIM",
            "latents coded",
            "KL, bits",
        ),
        (sweep_row(run) for run in sorted(result["sweep"], key=lambda run: run["beta"])),
    )
    missing = result.get("missing", [])
    holds = result["every_pair_holds"] or (missing and all(check["holds"] for check in result["checks"]))
    order = "every neighbouring pair" if holds else "NOT every neighbouring pair"
    absent = ", ".join(run["name"] for run in missing)
    note = f"The β sweep (larger β gives fewer bytes and more distortion for {order})" + (
        f"; not trained yet: {absent}:" if absent else ":"
    )
    return "\n\n".join([head, beside, *shared, note, sweep])


def amortised_line(model: Result) -> str:
    """What the model file adds to each image."""
    shared = ", ".join(f"{size:.1f} over {int(n):,}" for n, size in model["bytes_with_model_over"].items())
    return (
        f"The file of {model['name']} has {model['model_bytes']:,} bytes; bytes an image with it shared out: {shared}."
    )


def sweep_row(run: Result) -> Sequence[str]:
    """One β. The KL is the training's own rate on validation images, in bits."""
    point, nats = run["point"], run["validation_rate_nats_in_training"]
    image_psnr = point["mean_image_psnr_db"]
    return (
        f"{run['beta']:g}",
        f"{point['file_bytes']:.1f}",
        f"{point['payload_bytes']:.1f}",
        f"{point['information_bytes']:.1f}",
        "exact" if point["psnr_db"] is None else f"{point['psnr_db']:.2f}",
        "some exact" if image_psnr is None else f"{image_psnr:.2f}",
        f"{point['ms_ssim']:.4f}",
        str(run["coded_latents"]),
        "" if nats is None else f"{nats / 0.6931471805599453:.1f}",
    )


def promises(folder: Path) -> str:
    """A line for each bar, with its measured value."""
    described: tuple[tuple[str, Callable[[Result], list[str]]], ...] = (
        ("exactness", exactness_lines),
        ("startup", startup_lines),
    )
    lines: list[str] = []
    for name, describe in described:
        result = read(folder / f"{name}.json")
        lines += [f"{name}: {NOT_YET}"] if result is None else describe(result)
    where_measured: tuple[tuple[str, Callable[[Result], list[str]]], ...] = (
        *((f"flagship-{data}", partial(flagship_table.flagship_lines, data)) for data in TITLES),
        *((f"exact-cost-{data}", partial(flagship_table.exact_cost_lines, data)) for data in TITLES),
        ("targets-mnist", flagship_table.targets_lines),
        ("five-betas-mnist", flagship_table.five_betas_lines),
        ("speed", flagship_table.speed_lines),
        ("archive", archive_lines),
        ("anchors-dsprites", known_by_heart_lines),
        ("photograph-speed", photograph_tables.speed_lines),
        ("folder-fashion", partial(folder_lines, "Fashion-MNIST")),
        ("folder-colour", partial(folder_lines, "squares of 32x32 pixels cut from photographs")),
        ("interruptions", interruption_lines),
    )
    for name, describe in where_measured:
        result = read(folder / f"{name}.json")
        lines += [] if result is None else describe(result)
    for data in TITLES:
        exact = read(folder / f"lossless-{data}.json")
        if exact is not None:
            lines += lossless_lines(data, exact, read(folder / f"lossless-exactness-{data}.json"))
    return "\n".join(f"- {line}" for line in lines)


def exactness_lines(result: Result) -> list[str]:
    """Exact decoding and the coder's cost, for each data set: the worst of the levels, each bar kept at all of them."""
    lines = []
    for data, found in result["results"].items():
        levels = found.get("levels", [found])
        same = "are" if all(level["bars"]["symbols"] and level["bars"]["pixels"] for level in levels) else "are NOT all"
        at = f"at each of {len(levels)} levels " if len(levels) > 1 else ""
        share = max(level["torch"]["differing_share"] for level in levels)
        lines.append(
            f"{data}: all {found['data']['images']:,} test images {same} decoded {at}to the encoder's symbols "
            f"and to the same pixels at batch 1 and 64, with 1 and 2 threads; "
            f"{share:.4%} of the pixels differ from torch's"
        )
        worst = max(levels, key=lambda level: float(level["payload_bits"] - level["payload_bound_bits"]))
        lines.append(
            f"{data}: payload {worst['payload_bits']:.1f} bits an image for {worst['information_bits']:.1f} bits of "
            f"information (bound: {worst['payload_bound_bits']:.1f}); everything else in a file: "
            f"{max(level['overhead_bytes'][1] for level in levels)} bytes"
        )
    return lines


def startup_lines(result: Result) -> list[str]:
    """The wait for a decompressed picture."""
    return [
        f"`vaecodec decompress`, whole process: {result['decompress_s']['median']:.2f} s, {result['ratio']:.2f} × "
        f'the time of `python -c "{result["baseline"]}"` (bound: {result["largest_ratio"]:g})'
    ]


def folder_lines(what: str, result: Result) -> list[str]:
    """The model of a folder of other pictures: its whole curve against WebP's."""
    seconds, data = result["train_process_s"], result["data"]
    took = "" if seconds is None else f" in {seconds / 60:.1f} minutes"
    low, high = result["bd_between_db"]
    above = result["not_below_webp_at_db"]
    below = "below WebP's files at every PSNR from 20 to 30 dB" if not above else f"not below WebP's at {above} dB"
    return [
        f"`{result['train_command']}` on {what}{took}: on {data['images']:,} test images {below}; BD-rate "
        f"{result['bd_rate_against_webp_files_per_cent']:+.1f} % against WebP's files, "
        f"{result['bd_rate_against_webp_payload_per_cent']:+.1f} % against its payload ({low:.1f} to {high:.1f} dB)"
    ]


def interruption_lines(result: Result) -> list[str]:
    """Training that goes on after a signal."""
    moments = result["moments"]
    same = sum(moment["same_weights"] and moment["same_model"] for moment in moments)
    return [
        f"SIGINT or SIGTERM at {len(moments)} random moments of a training of {result['steps']} steps: --resume ended "
        f"with the weights and the model file of the uninterrupted one in {same}"
    ]
