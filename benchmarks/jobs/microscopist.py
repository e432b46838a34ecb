"""A microscopist's 16-bit crops into an archive and out again as values: results/job-microscopist.json.

    python -m benchmarks.jobs.microscopist [--crops N] [--work DIR] [--out FILE]

Makes PNG files of 16 bits, 28x28 pixels, with spots and a camera's noise, from one seed, and does with them what
docs/microscopy.md does, by commands: refused without a window; an exact archive by a window for each; values out of
it. The bars: every command ends as it should, and every value is within half a step of its window of what it was, and
1/2 more, for it is rounded. 1 where one is missed, else 0.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import vaecodec
from benchmarks.measuring.machine import RESULTS, ROOT, write_results

SEED = 20_000
CROPS = 20_000
SIDE = 28
MODEL = "mnist"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command: how it ended, what it said, and how long it took."""

    code: int
    said: str
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, compress, restore, compare, store."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jobs.microscopist", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--crops", type=int, default=CROPS)
    parser.add_argument("--work", type=Path, help="an empty folder; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS / "job-microscopist.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        found = job(options.work or Path(temporary), options.crops)
    write_results(options.out, found, seed=SEED)
    for name, is_met in found["bars"].items():
        print(f"{'met' if is_met else 'MISSED'}: {name}")
    return 0 if all(found["bars"].values()) else 1


def job(work: Path, count: int) -> dict[str, Any]:
    """What was measured of so many crops, in an empty folder."""
    crops = make_crops(work / "crops", count)
    archive, back = work / "crops.vaea", work / "back"
    refused = run("archive", "create", archive, work / "crops", "--model", MODEL)
    made = run(
        "archive", "create", archive, work / "crops", "--window", "minmax", "--lossless", "--model", MODEL, "--json"
    )
    extracted = run("archive", "extract", archive, back, "--restore-window")
    report = json.loads(made.said) if made.code == 0 else {}
    ratio, lost = worst_error(archive, back, crops) if extracted.code == 0 else (float("inf"), count)
    return {
        "crops": count,
        "png_bytes": sum(path.stat().st_size for path in (work / "crops").iterdir()),
        "archive_bytes": archive.stat().st_size if archive.exists() else None,
        "fidelity": report.get("fidelity"),
        "warnings": report.get("warnings"),
        "largest_error_of_allowed": ratio,
        "seconds": {"create": made.seconds, "extract": extracted.seconds},
        "bars": {
            "without a window nothing is made, and the error names --window": refused.code == 1
            and "--window" in refused.said,
            "the archive is made, and its pixels are exact": made.code == 0
            and report["fidelity"]["exact"] == report["fidelity"]["images"] == count,
            "every crop comes back as 16-bit values": extracted.code == 0 and lost == 0,
            "every value is within half a step of its window, and 1/2": ratio <= 1,
        },
    }


def make_crops(folder: Path, count: int) -> list[npt.NDArray[np.uint16]]:
    """The crops, also as PNG files: spots of several widths on a ground, with Poisson noise, 12 bits and more."""
    rng = np.random.default_rng(SEED)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    folder.mkdir(parents=True)
    crops = []
    for number in range(count):
        light = np.full((SIDE, SIDE), rng.uniform(80, 300))
        for _ in range(rng.integers(1, 4)):
            row, column = rng.uniform(4, SIDE - 4, 2)
            distance = (rows - row) ** 2 + (columns - column) ** 2
            light += rng.uniform(200, 6000) * np.exp(-distance / rng.uniform(4, 60))
        crop = rng.poisson(light).astype(np.uint16)
        Image.fromarray(crop).save(folder / f"{number:06d}.png")
        crops.append(crop)
    return crops


def worst_error(archive: Path, back: Path, crops: Sequence[npt.NDArray[np.uint16]]) -> tuple[float, int]:
    """The largest error of a value, as a share of what its window allows; and how many crops are not 16-bit files."""
    worst, lost = 0.0, 0
    with vaecodec.Archive(archive) as opened:
        for number, crop in enumerate(crops):
            window = opened.window(number)
            values = np.asarray(Image.open(back / f"{number:06d}.png"))
            if window is None or values.dtype != np.uint16:
                lost += 1
                continue
            error = np.abs(values.astype(np.int64) - crop).max()
            worst = max(worst, float(error) / (window.step / 2 + 0.5))
    return worst, lost


def run(*arguments: object) -> Ran:
    """A command of this checkout's command line."""
    started = time.monotonic()
    line = [sys.executable, "-m", "cli", *map(str, arguments)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout or done.stderr, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
