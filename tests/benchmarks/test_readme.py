"""Every number of README.md's tables, looked up in the stored results without the code that makes the tables."""

import json
import re
from statistics import fmean, stdev

import bjontegaard
import pytest

from benchmarks.measuring.machine import RESULTS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA = {"MNIST": "mnist", "dSprites": "dsprites"}


def stored(name):
    """A result."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def block(name):
    """What stands between two markers of the README."""
    return re.search(rf"<!-- {name}:begin -->(.*)<!-- {name}:end -->", README, re.DOTALL).group(1)


def rows(name):
    """(data set, cells) of every row of a block's tables, the heads left out."""
    found, data = [], None
    for line in block(name).splitlines():
        if title := re.match(r"\*\*(\w+)[,:]", line):
            data = DATA.get(title.group(1))
        elif data is None:
            continue  # photographs, whose table has quotients alone
        elif line.startswith("| ") and not line.startswith("|  |"):
            found.append((data, [cell.strip() for cell in line.strip("|").split("|")]))
    return found


OF_EXACT_FILES = [row for row in rows("results") if re.match(r"\*\*.+\*\*, lossless", row[1][0])]
OF_QUALITIES = [row for row in rows("results") if re.match(r"\*\*.+\*\*, quality", row[1][0])]
OF_POINTS = [row for row in rows("results") if row not in (*OF_EXACT_FILES, *OF_QUALITIES)]


def classical_points(data):
    """(codec, point) of every classical codec."""
    return [(curve["codec"], point) for curve in stored(f"classical-{data}")["curves"] for point in curve["points"]]


def point_of(data, name):
    """The stored point that a row of the first tables stands for."""
    swept = stored(f"rate-distortion-{data}")
    if level := re.fullmatch(r"\*\*(.+)\*\*, level (\d+)", name):
        flagship = stored(f"flagship-{data}")
        assert flagship["model"]["name"] == level.group(1)
        return next(one["point"] for one in flagship["efforts"][0]["levels"] if one["level"] == int(level.group(2)))
    if model := re.fullmatch(r"\*\*([^*]+)\*\*", name):
        return next(one["point"] for one in swept["zoo"] if one["name"] == model.group(1))
    if pca := re.fullmatch(r"PCA, (.+)", name):
        return next(one["point"] for one in swept["pca"] if one["point"]["setting"] == pca.group(1))
    name, _, images = name.partition(", over ")
    if smallest := re.fullmatch(r"(.+) at its smallest \((.+)\)", name):
        lossy = [p for codec, p in classical_points(data) if codec == smallest.group(1) and p["psnr_db"] is not None]
        point = min(lossy, key=lambda p: p["file_bytes"])
        assert point["setting"] == smallest.group(2)
        whole = stored(f"rate-distortion-{data}")["data"]["images"]
        assert images == ("" if point["images"] == whole else f"{point['images']:,} images")
        return point
    codec = re.fullmatch(r"(.+), lossless", name).group(1)
    exact = [p for other, p in classical_points(data) if other == codec and p["psnr_db"] is None]
    return min(exact, key=lambda p: p["file_bytes"])


@pytest.mark.parametrize(("data", "cells"), OF_POINTS, ids=str)
def test_a_row_is_a_stored_point(data, cells):
    point = point_of(data, cells[0])
    information, psnr = point["information_bytes"], point["psnr_db"]
    assert cells[1:6] == [
        f"{point['file_bytes']:.1f}",
        f"{point['file_bpp']:.3f}",
        f"{point['payload_bytes']:.1f}",
        "" if information is None else f"{information:.1f}",
        "exact" if psnr is None else f"{psnr:.2f}",
    ]
    assert cells[6] == f"{point['ms_ssim']:.4f} ({point['ms_ssim_scales']} scales)"


@pytest.mark.parametrize(("data", "cells"), OF_EXACT_FILES, ids=str)
def test_a_row_of_exact_files_is_the_stored_mean(data, cells):
    result = stored(f"lossless-{data}")
    name, _, what = cells[0].strip("*").partition("**, ")
    assert name == result["model"]["name"]
    if what == "lossless":
        size, bits = result["files"]["bytes"], result["files"]["bits_per_pixel"]
    else:
        assert what == f"lossless, archive of {result['files']['images']:,}"
        size, bits = result["archive"]["bytes_per_image"], result["archive"]["bits_per_pixel"]
    assert cells[1:] == [f"{size:.1f}", f"{bits:.3f}", "", "", "exact", ""]


@pytest.mark.parametrize("data", DATA.values())
def test_the_rates_in_the_sentence_are_those_of_the_flagship(data):
    result = stored(f"flagship-{data}")
    start = f"BD-rate of {result['model']['name']} (PSNR; at effort "
    line = next(line for line in block("results").splitlines() if line.startswith(start))
    efforts, rates = line.removeprefix(start).split(") against ")
    assert efforts == ", ".join(str(effort["effort"]) for effort in result["efforts"])
    told = dict(re.findall(r"(?:^|; )([^;]+?) ((?:[-+][\d.]+(?:, )?)+) %", rates))
    assert told.keys() == {
        codec for codec, *rest in zip(*map(codecs_of, result["efforts"]), strict=True) if None not in (codec, *rest)
    }
    for codec, numbers in told.items():
        for effort, number in zip(result["efforts"], numbers.split(", "), strict=True):
            rate = next(one["psnr_per_cent"] for one in effort["beside"] if one["codec"] == codec)
            assert number == f"{rate:+.1f}"


def codecs_of(effort):
    """The codecs beside an effort; None where there is no rate."""
    return [one["codec"] if one["psnr_per_cent"] is not None else None for one in effort["beside"]]


@pytest.mark.parametrize("data", DATA.values())
def test_no_row_of_a_level_is_larger_than_the_exact_files(data):
    """compress() writes these instead."""
    exact = [float(cells[1]) for of, cells in OF_EXACT_FILES if of == data and "archive" not in cells[0]]
    flagship = stored(f"flagship-{data}")
    ours = [*OF_POINTS, *OF_QUALITIES]
    levels = [float(cells[1]) for of, cells in ours if of == data and flagship["model"]["name"] in cells[0]]
    assert levels
    if flagship.get("lossless") is not None:
        assert max(levels) <= min(exact)


@pytest.mark.parametrize(("data", "cells"), OF_QUALITIES, ids=str)
def test_a_row_of_a_quality_is_what_the_public_interface_wrote(data, cells):
    result = stored(f"whole-curve-{data}")
    name, quality = re.match(r"\*\*(.+)\*\*, quality (\d+), over", cells[0]).groups()
    assert name == result["model"]["name"] == stored(f"flagship-{data}")["model"]["name"]
    point = next(point for point in result["points"] if point["quality"] == int(quality))
    assert cells[0].endswith(f", over {result['data']['images']:,} images")
    assert (cells[1], cells[5]) == (f"{point['mean_bytes']:.1f}", f"{point['psnr_db']:.2f}")


def test_rates_of_payloads_and_exact_files_are_those_of_curves_made_anew():
    """AVIF's BD-rate is mostly its container's; the lossless modes of WebP and JPEG XL are dSprites' anchors."""
    lines = [line for line in block("results").splitlines() if line.startswith("Payload against payload")]
    told = [dict(re.findall(r"(?:: |; )([^;:]+?) ([-+.\d]+ and [-+.\d]+) %", line)) for line in lines]
    assert [sorted(one) for one in told] == [
        ["AVIF", "JPEG", "JPEG 2000", "JPEG XL", "WebP"],
        ["JPEG", "JPEG 2000", "JPEG XL", "WebP"],
    ]
    for rates, data in zip(told, ("mnist", "dsprites"), strict=True):
        levels = stored(f"flagship-{data}")["efforts"][0]["levels"]
        ours = [(one["point"]["payload_bytes"], one["point"]["psnr_db"]) for one in levels]
        points = [p for codec, p in classical_points(data) if codec == "WebP" and p["psnr_db"] is not None]
        theirs = [(p["payload_bytes"], p["psnr_db"]) for p in points]
        rate = bjontegaard.bd_rate(
            *zip(*theirs, strict=True),
            *zip(*ours, strict=True),
            method="pchip",
            require_matching_points=False,
            min_overlap=0,
        )
        assert rates["WebP"].startswith(f"{rate:+.1f} and")


@pytest.mark.parametrize(("title", "data"), DATA.items())
def test_the_titles_say_how_many_images_of_what_size(title, data):
    said = stored(f"rate-distortion-{data}")["data"]
    line = next(line for line in block("results").splitlines() if line.startswith(f"**{title},"))
    assert f"{said['height']}×{said['width']}" in line
    assert line.endswith(f"{said['images']:,} {said['split']} images**")


def test_a_file_has_seven_bytes_more_than_its_payload():
    assert "the file without its 7 bytes of header and check" in README
    for data in DATA.values():
        for one in stored(f"flagship-{data}")["efforts"][0]["levels"]:
            assert one["point"]["file_bytes"] - one["point"]["payload_bytes"] == pytest.approx(7, abs=1e-3)


def over_seeds(values, digits):
    """A mean, and the deviation between seeds where there are several."""
    text = f"{fmean(values):.{digits}f}"
    return f"{text} ± {stdev(values):.{digits}f}" if len(values) > 1 and stdev(values) else text


@pytest.mark.parametrize(("data", "cells"), rows("families"), ids=str)
def test_a_row_of_a_family_is_the_mean_of_its_runs(data, cells):
    family, _, setting = cells[0].partition(", ")
    every = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((RESULTS / "families").glob("*.json"))]
    runs = [run for run in every if (run["data"], run["family"], run["setting"]) == (data, family, setting or family)]
    assert runs
    points, floats = [run["files"]["point"] for run in runs], [run["float"] for run in runs]
    told = [cells[k] for k in (1, 2, 4, 5, 6, 7)]
    assert told == [
        over_seeds([point["file_bytes"] for point in points], 1),
        over_seeds([point["psnr_db"] for point in points], 2),
        over_seeds([point["ms_ssim"] for point in points], 4),
        over_seeds([one["elbo_nats"] for one in floats], 1),
        over_seeds([one["reconstruction_nats"] for one in floats], 1),
        over_seeds([one["active_latents"] for one in floats], 0),
    ]


def test_the_photographs_rows_are_quotients_of_the_stored_curves():
    curves = stored("photographs-kodak")["curves"]
    table = block("results").split("**Photographs")[1].split("\n\n")[1]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    measured = {name.strip("*"): value for name, value, *_ in cells if "(published)" not in name}
    assert set(measured) == set(curves) - {"WebP m6"}
    for name, value in measured.items():
        rate, quality = zip(*((p["file_bpp"], p["mean_image_psnr_db"]) for p in curves["WebP m6"]), strict=True)
        other = sorted((p["file_bpp"], p["mean_image_psnr_db"]) for p in curves[name])
        found = bjontegaard.bd_rate(
            rate, quality, *zip(*other, strict=True), method="pchip", require_matching_points=False
        )
        assert float(value.replace("−", "-").rstrip(" %")) == pytest.approx(found, abs=0.4), name
