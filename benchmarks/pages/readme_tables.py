"""The README's block: for each data set one table, ours beside the others, and what that saves.

results/{rate-distortion,classical,flagship,lossless}-DATA.json, photographs-kodak.json --summary--> Markdown

docs/results.md has the rest (results_page.py).
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.pages import photograph_tables
from benchmarks.pages.flagship_table import shown_levels
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET, TITLES, Result, read
from benchmarks.pages.point_rows import POINT_HEAD, compare_rows, point_row
from benchmarks.studies.anchors import anchors

Row = Sequence[str]
QUALITIES = (0, 20, 50, 80)  # of a whole curve: what the table shows

THE_REST = (
    "docs/results.md has the curves' levels, the β sweep, what a model file adds to each image, and every promise "
    "(exactness, targets, speed, archives, lossless) with what was measured."
)


def summary(folder: Path) -> str:
    """The block, from the results in a folder; a result that is not there is said to be missing."""
    sets = [part for data in TITLES for part in _of_set(data, folder)]
    return "\n\n".join([*_of_photographs(folder), *sets, THE_REST])


def _of_photographs(folder: Path) -> list[str]:
    """Rates against WebP, once a model of photographs was measured."""
    result = read(folder / "photographs-kodak.json")
    if result is None or result["model"] is None:
        return []
    head = f"**Photographs: {result['data']['source']}, bytes against WebP's at equal quality**"
    return [head, markdown(photograph_tables.RATE_HEAD, photograph_tables.rate_rows(result))]


def _of_set(data: str, folder: Path) -> list[str]:
    result = read(folder / f"rate-distortion-{data}.json")
    if result is None:
        return [f"**{TITLES[data]}**: {NOT_YET}"]
    flagship = read(folder / f"flagship-{data}.json")
    lossless = read(folder / f"lossless-{data}.json")
    ours = [
        *([] if flagship is None else flagship_rows(flagship, read(folder / f"whole-curve-{data}.json"))),
        *([] if lossless is None else lossless_rows(lossless)),
    ]
    classical = read(folder / f"classical-{data}.json") or {"curves": []}
    head = f"**{TITLES[data]}: {result['data']['images']:,} {result['data']['split']} images**"
    table = markdown(POINT_HEAD, [*ours, *compare_rows(result, classical)])
    beside = [] if flagship is None else [bd_rates(flagship), other_rates(data, classical, flagship)]
    return [head, table, *beside]


def other_rates(data: str, classical: Result, flagship: Result) -> str:
    """What is left of that without containers, and with the exact files that each side may send."""
    told = [
        f"{one.codec} {one.payloads:+.1f} and {one.exact_too:+.1f} %"
        for one in anchors(data, classical, flagship)
        if one.payloads is not None and one.exact_too is not None
    ]
    return (
        f"Payload against payload, and whole files none of which is larger than its codec's exact one (effort "
        f"{flagship['efforts'][0]['effort']}): {'; '.join(told)}."
    )


def flagship_rows(result: Result, qualities: Result | None) -> list[Row]:
    """What compress() writes at some qualities, where that was measured of this model.

    Otherwise the coarsest and the finest level, the default one, and those that the bars are judged at; lowest effort.
    """
    if qualities is not None and qualities["model"]["name"] == result["model"]["name"]:
        return quality_rows(qualities)
    name, levels = result["model"]["name"], result["efforts"][0]["levels"]
    shown = shown_levels(result)
    return [point_row(f"**{name}**, level {one['level']}", one["point"]) for one in levels if one["level"] in shown]


def quality_rows(result: Result) -> list[Row]:
    """Files of some qualities: the lossy one of each image, or the exact one where it is no larger."""
    data, name = result["data"], result["model"]["name"]
    pixels = data["height"] * data["width"]
    return [
        (
            f"**{name}**, quality {point['quality']}, over {data['images']:,} images",
            f"{point['mean_bytes']:.1f}",
            f"{8 * point['mean_bytes'] / pixels:.3f}",
            "",
            "",
            f"{point['psnr_db']:.2f}",
            "",
        )
        for point in result["points"]
        if point["quality"] in QUALITIES
    ]


def lossless_rows(result: Result) -> list[Row]:
    """Exact files, and an archive of them."""
    name, files, archive = result["model"]["name"], result["files"], result["archive"]
    kept = (
        (f"**{name}**, lossless", files["bytes"], files["bits_per_pixel"]),
        (
            f"**{name}**, lossless, archive of {files['images']:,}",
            archive["bytes_per_image"],
            archive["bits_per_pixel"],
        ),
    )
    return [(what, f"{size:.1f}", f"{bits:.3f}", "", "", "exact", "") for what, size, bits in kept]


def bd_rates(result: Result) -> str:
    """The bytes that the flagship saves against each rival at the same PSNR, by effort, in a sentence."""
    efforts = result["efforts"]
    told = []
    for of_all_efforts in zip(*(effort["beside"] for effort in efforts), strict=True):
        rates = [one["psnr_per_cent"] for one in of_all_efforts]
        if None not in rates:
            told.append(f"{of_all_efforts[0]['codec']} {', '.join(f'{rate:+.1f}' for rate in rates)} %")
    numbers = ", ".join(str(effort["effort"]) for effort in efforts)
    return f"BD-rate of {result['model']['name']} (PSNR; at effort {numbers}) against {'; '.join(told)}."
