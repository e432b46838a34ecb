"""Photographs on the pages of results: Bjøntegaard rates against WebP, the model's levels, the bars, time and memory.

results/photographs-kodak.json, photograph-speed.json --tables, bar_lines, speed_lines--> Markdown

What papers printed stands in the same table, marked as published: nobody measured it here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measuring.photo_codecs import OURS, WEBP
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import Result

PARTS = ("27–30 dB", "30–33", "33–36", "36–39")
RATE_HEAD = ("", "PSNR, mean of images", "over", *PARTS, "PSNR from mean MSE", "MS-SSIM")
POINT_HEAD = ("", "bits a pixel", "PSNR, mean of images, dB", "PSNR from mean MSE, dB", "MS-SSIM")
Comparison = Mapping[str, Any]


def tables(result: Result) -> list[str]:
    """A head, the table of rates, and the levels of our model where there is one."""
    data = result["data"]
    head = f"## Photographs: {data['source']}, whole files"
    note = (
        f"Bjøntegaard rate against Pillow's {WEBP}, in per cent of its bytes at equal quality: less is better. AVIF is "
        "Pillow's as it comes, and 4:4:4 at speed 4 tuned for PSNR."
    )
    parts = [head, note, markdown(RATE_HEAD, rate_rows(result))]
    if OURS in result["curves"]:
        parts.append(markdown(POINT_HEAD, [point_row(point) for point in result["curves"][OURS]]))
        parts += ["; ".join(bar_lines(result["bars"]))]
    return parts


def rate_rows(result: Result) -> list[Sequence[str]]:
    """Measured curves, ours first, then published ones."""
    comparisons = result["comparisons"]
    measured = sorted(comparisons["measured"].items(), key=lambda item: item[0] != OURS)
    names = {one["id"]: one["codec"] for one in result["published"]}
    rows = [rate_row(f"**{name}**" if name == OURS else name, by_quality) for name, by_quality in measured]
    published = comparisons["published"].items()
    return rows + [rate_row(f"{names[key]} (published)", by_quality) for key, by_quality in published]


def rate_row(name: str, by_quality: Mapping[str, Comparison | None]) -> Sequence[str]:
    """One codec's rates; empty where the curves share no range, or none was measured."""
    by_papers = by_quality["mean_image_psnr"]
    whole, covered, parts = "", "", [""] * len(PARTS)
    if by_papers is not None:
        whole, covered = rate(by_papers), f"{by_papers['from_db']:.1f}–{by_papers['to_db']:.1f} dB"
        found = {f"{part['from_db']:.0f}–{part['to_db']:.0f}": rate(part) for part in by_papers["parts"]}
        parts = [found.get(part.removesuffix(" dB"), "") for part in PARTS]
    others = (by_quality.get(quality) for quality in ("psnr_of_mean_mse", "ms_ssim"))
    return (name, whole, covered, *parts, *("" if one is None else rate(one) for one in others))


def rate(comparison: Comparison) -> str:
    """In per cent, with its sign."""
    return f"{comparison['rate_per_cent']:+.1f} %".replace("-", "−")


def point_row(point: Result) -> Sequence[str]:
    """One level of the model."""
    return (
        point["setting"],
        f"{point['file_bpp']:.3f}",
        f"{point['mean_image_psnr_db']:.2f}",
        f"{point['psnr_db']:.2f}",
        f"{point['ms_ssim']:.4f}",
    )


def bar_lines(bars: Result) -> list[str]:
    """What is promised of the rate, and whether it holds."""
    rates, above = bars["rate"], bars["never_above"]
    if "rate_per_cent" not in rates:
        return [f"no quality or rate is common to {OURS} and {WEBP}: {verdict(rates)}"]
    return [
        f"rate against {WEBP}: {rate(rates)} over {rates['from_db']:.1f} to {rates['to_db']:.1f} dB (bound: "
        f"{rates['most_per_cent']:g} %): {verdict(rates)}",
        f"PSNR at equal bytes, {above['from_bpp']:.2f} to {above['to_bpp']:.2f} bits a pixel: at least "
        f"{above['least_db']:+.2f} dB of {WEBP}'s: {verdict(above)}",
    ]


def speed_lines(result: Result) -> list[str]:
    """Seconds of a photograph beside AVIF's, and the bars of time and memory."""
    seconds = result["seconds_of_one_photograph"]
    told = ", ".join(f"{task.replace('_', ' ')} {clocks['cpu_s']['median']:.2f} s" for task, clocks in seconds.items())
    bars = [f"{one['what']}: {one['value']:.3g} (bound: {one['most']:g}): {verdict(one)}" for one in result["bars"]]
    return [f"a photograph of 768×512, CPU: {told}", *bars]


def verdict(bar: Result) -> str:
    """In a word."""
    return "holds" if bar["holds"] else "does NOT hold"
