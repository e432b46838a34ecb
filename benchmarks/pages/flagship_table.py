"""The flagships in docs/results.md: their curve, their rivals, what effort buys, and the bars.

results/flagship-DATA.json                           ──> tables and lines
results/targets-mnist, five-betas-mnist, speed.json  ──> lines
results/exact-cost-DATA.json                         ──> lines
"""

from collections.abc import Sequence

from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import Result
from vaecodec.modelfile.installed import model_by_fingerprint

Row = Sequence[str]

CURVE_HEAD = (
    "level",
    "β",
    "latents coded",
    "file, bytes",
    "payload",
    "information",
    "PSNR, dB",
    "MS-SSIM",
    "training images: file, bytes",
    "their PSNR, dB",
)


def tables(result: Result) -> list[str]:
    """One model for the whole curve: some of its levels, and its BD-rate against every codec."""
    curve, rivals = markdown(CURVE_HEAD, curve_rows(result)), markdown(rival_head(result), rival_rows(result))
    return [title(result), curve, rivals]


def title(result: Result) -> str:
    """What stands above the tables."""
    model, curve = result["model"], result["efforts"][0]["levels"]
    low, high = (_psnr(curve[k]["point"]["psnr_db"]) for k in (0, -1))
    exact = result.get("lossless")
    besides = (
        ""
        if exact is None
        else (
            f". Exact files have {exact['bytes']:.1f}, and `compress` writes no lossy one as large, so larger levels "
            "are the model's alone"
        )
    )
    return (
        f"{trained_on(model)}{model['name']}, one model of {model['model_bytes']:,} bytes for the whole curve: "
        f"{model['levels']} levels "
        f"from {curve[0]['point']['file_bytes']:.1f} bytes at {low} dB to {curve[-1]['point']['file_bytes']:.1f} at "
        f"{high}{besides}. Some levels, at effort {result['efforts'][0]['effort']}, beside as many training images:"
    )


def trained_on(model: Result) -> str:
    """What the model's file says of its training images, in a sentence; nothing of a model that is not installed."""
    found = None if "fingerprint" not in model else model_by_fingerprint(bytes.fromhex(model["fingerprint"]))
    if found is None:
        return ""
    data = found.about["data"]
    return f"{model['name']} was trained on {data['images']:,} images ({data['source']}). "


def curve_rows(result: Result) -> list[Row]:
    """Some levels, of the lowest effort."""
    shown, gaps = shown_levels(result), {gap["level"]: gap["train"] for gap in result["gap"]}
    levels = result["efforts"][0]["levels"]
    return [_curve_row(one, gaps[one["level"]]) for one in levels if one["level"] in shown]


def shown_levels(result: Result) -> set[int | None]:
    """The coarsest level, the default one, the finest, and those that the bars are judged at.

    No level whose files are larger than exact ones, which compress() writes instead.
    """
    effort, exact = result["efforts"][0], result.get("lossless")
    most = float("inf") if exact is None else exact["bytes"]
    written = [level["level"] for level in effort["levels"] if level["point"]["file_bytes"] < most]
    ends = {written[0], written[-1]}
    return ends | {result["model"]["default_level"]} | {verdict["level"] for verdict in effort["bars"]["sizes"]}


def _curve_row(one: Result, train: Result) -> Row:
    point = one["point"]
    return (
        str(one["level"]),
        f"{one['beta']:.3g}",
        str(one["coded_latents"]),
        f"{point['file_bytes']:.1f}",
        f"{point['payload_bytes']:.1f}",
        f"{point['information_bytes']:.1f}",
        _psnr(point["psnr_db"]),
        f"{point['ms_ssim']:.4f}",
        f"{train['file_bytes']:.1f}",
        f"{train['psnr_db']:.2f}",
    )


def rival_head(result: Result) -> Row:
    """Two columns for each effort."""
    efforts = [effort["effort"] for effort in result["efforts"]]
    return ("BD-rate against", *(f"{by}, effort {effort}" for effort in efforts for by in ("PSNR", "MS-SSIM")))


def rival_rows(result: Result) -> list[Row]:
    """Every codec whose curve shares a range with ours."""
    rows: list[Row] = []
    for of_all_efforts in zip(*(effort["beside"] for effort in result["efforts"]), strict=True):
        rates = [one[key] for one in of_all_efforts for key in ("psnr_per_cent", "ms_ssim_per_cent")]
        if any(rate is not None for rate in rates):
            rows.append((of_all_efforts[0]["codec"], *("" if rate is None else f"{rate:+.1f} %" for rate in rates)))
    return rows


def flagship_lines(data: str, result: Result) -> list[str]:
    """A line for each bar, with what each effort reached; and what an effort saves and takes."""
    efforts = result["efforts"]
    lines = []
    for verdicts in zip(*(effort["bars"]["sizes"] for effort in efforts), strict=True):
        bar = verdicts[0]["bar"]
        told = _of_efforts(efforts, [_size(verdict) for verdict in verdicts])
        lines.append(f"{data}, at least {bar['psnr_db']:g} dB for at most {bar['most_bytes']:g} bytes: {told}")
    for verdicts in zip(*(effort["bars"]["rates"] for effort in efforts), strict=True):
        bar = verdicts[0]["bar"]
        told = _of_efforts(efforts, [_rate(verdict) for verdict in verdicts])
        lines.append(
            f"{data}, BD-rate against {bar['codec']} over {bar['low_db']:g} to {bar['high_db']:g} dB at most "
            f"{bar['most_per_cent']:g} %: {told}"
        )
    lines += [f"{data}, beside {line}" for line in _single_points(efforts)]
    for effort in efforts[1:]:
        saved = effort["bd_rate_against_lowest_effort_per_cent"]["psnr"]
        share = "" if saved is None else f"{saved:+.1f} % bytes (BD-rate, PSNR) against effort {efforts[0]['effort']}, "
        lines.append(
            f"{data}, effort {effort['effort']}: {share}{effort['compress']['core_ms']:.2f} ms of one core an image to "
            f"compress instead of {efforts[0]['compress']['core_ms']:.2f}"
        )
    return lines


def _single_points(efforts: Sequence[Result]) -> list[str]:
    """Models of one point have no BD-rate: they stand beside our cheapest level of at least their PSNR."""
    lines = []
    for of_all_efforts in zip(*(effort["beside"] for effort in efforts), strict=True):
        points = [one["points"][0] for one in of_all_efforts]
        if len(of_all_efforts[0]["points"]) == 1 and points[0]["psnr_db"] is not None:
            told = ["not reached" if p["our_bytes"] is None else f"{p['our_bytes']:.1f} bytes" for p in points]
            lines.append(
                f"{of_all_efforts[0]['codec']}, {points[0]['file_bytes']:.1f} bytes at {points[0]['psnr_db']:.2f} dB: "
                f"{_of_efforts(efforts, told)}"
            )
    return lines


def exact_cost_lines(data: str, result: Result) -> list[str]:
    """What it costs that the synthesis is exact in integers."""
    lost = [(one["lost_db"], one["level"]) for one in result["levels"]]
    kept = sum(one <= result["bar_db"] for one, _ in lost)
    (least, _), (most, worst) = min(lost), max(lost)
    return [
        f"{data}, {result['model']}, PSNR that its integer-exact synthesis loses to the float one: {least:+.2f} to "
        f"{most:+.2f} dB, most at level {worst}; at most {result['bar_db']:g} dB at {kept} of {len(lost)} levels"
    ]


def targets_lines(result: Result) -> list[str]:
    """Rate control: a line for each unit."""
    lines = []
    for key, unit in (("target_bytes", "bytes"), ("target_psnr_db", "dB")):
        told = []
        for row in result[key]:
            unused = "" if row["unused_bytes"] is None else f", {row['unused_bytes']:.2f} bytes unused"
            missed = "" if row["holds"] else " (bar MISSED)"
            told.append(
                f"{row['target']:g}: {row['broken']} missed, {row['refused_share']:.2%} refused{unused}{missed}"
            )
        lines.append(
            f"{result['model']}, targets in {unit} on {result['data']['images']:,} test images: {'; '.join(told)}"
        )
    return lines


def five_betas_lines(result: Result) -> list[str]:
    """One model against separate ones."""
    if result["missing"]:
        return [f"one model against separate ones: {len(result['missing'])} runs are missing"]
    found, verdict = result["bd_rate_per_cent"], "holds" if result["holds"] else "MISSED"
    return [
        f"one model that takes β against {len(result['pairs'])} separate ones of the same network, each trained for "
        f"{result['steps']:,} steps: BD-rate {found['psnr']:+.2f} % (PSNR), {found['ms_ssim']:+.2f} % (MS-SSIM); at "
        f"most {result['most_per_cent']:+g} %: {verdict}"
    ]


def speed_lines(result: Result) -> list[str]:
    """Bulk, against Pillow's WebP."""
    told = ", ".join(
        f"{bar['task']} {bar['times_as_fast']:.1f} × {bar['against']} (at least {bar['wanted']:g}: "
        f"{'holds' if bar['holds'] else 'MISSED'})"
        for bar in result["bars"]
    )
    return [f"{result['model']}, {result['data']['images']:,} images in one process, as fast as Pillow's WebP: {told}"]


def _of_efforts(efforts: Sequence[Result], told: Sequence[str]) -> str:
    return "; ".join(f"effort {effort['effort']} {text}" for effort, text in zip(efforts, told, strict=True))


def _size(verdict: Result) -> str:
    if verdict["file_bytes"] is None:
        return "MISSED, no level has the PSNR"
    word = "holds" if verdict["holds"] else f"MISSED by {verdict['missed_by_bytes']:.2f}"
    psnr = "exact" if verdict["psnr_db"] is None else f"at {_psnr(verdict['psnr_db'])} dB"
    return f"{verdict['file_bytes']:.2f} {psnr}, {word}"


def _rate(verdict: Result) -> str:
    if verdict["per_cent"] is None:
        return "MISSED, nothing to compare over the whole range"
    word = "holds" if verdict["holds"] else f"MISSED by {verdict['missed_by_per_cent']:.2f}"
    return f"{verdict['per_cent']:+.2f} %, {word}"


def _psnr(psnr_db: float | None) -> str:
    return "exact" if psnr_db is None else f"{psnr_db:.2f}"
