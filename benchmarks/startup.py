"""What a person waits for `vaecodec decompress`, against a Python that only imports numpy and Pillow: startup.json.

    python -m benchmarks.startup [--image FILE] [--model NAME] [--runs 21]

Whole processes, one of each kind in turn, so that a machine whose speed drifts slows both; the ratio is of the medians.
Needs the package to be installed (`make venv`), for the console script.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import vaecodec
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.timing import CONSOLE_SCRIPT, elapsed_s, spread
from vaecodec.codec.images import read_grey

BASELINE = "import numpy, PIL.Image"
LARGEST_RATIO = 2.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where the ratio is above the bar, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.partition("\n")[0])
    parser.add_argument("--image", type=Path, default=ROOT / "examples" / "digit-7.png")
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--runs", type=int, default=21, help="of each kind")
    parser.add_argument("--out", type=Path, default=RESULTS / "startup.json")
    options = parser.parse_args(arguments)
    if not CONSOLE_SCRIPT.is_file():
        parser.error(f"{CONSOLE_SCRIPT} is not there: install the package first (make venv)")
    with tempfile.TemporaryDirectory(prefix="vaecodec-startup-") as folder:
        source = Path(folder) / "image.vae"
        source.write_bytes(vaecodec.Codec.load(options.model).compress(read_grey(options.image)))
        ours, baseline = time_in_turn(source, options.model, options.runs)
    ratio = statistics.median(ours) / statistics.median(baseline)
    result = {
        "image": options.image.name,
        "model": vaecodec.Codec.load(options.model).model.name,
        "runs": options.runs,
        "decompress_s": spread(ours),
        "baseline": BASELINE,
        "baseline_s": spread(baseline),
        "ratio": ratio,
        "largest_ratio": LARGEST_RATIO,
        "holds": ratio <= LARGEST_RATIO,
    }
    write_results(options.out, result, seed=None)
    print(f"{options.out}: {ratio:.2f} times the baseline's {statistics.median(baseline):.3f} s")
    return 0 if result["holds"] else 1


def time_in_turn(source: Path, model: str, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of each `vaecodec decompress` and each baseline; the first pair warms the caches and is left out."""
    ours, baseline = [], []
    for k in range(runs + 1):
        target = source.with_name(f"{k}.png")
        named = [] if model == "mnist" else ["--model", model]  # a released model is found by the stream's fingerprint
        ours.append(elapsed_s([str(CONSOLE_SCRIPT), "decompress", str(source), str(target), *named]))
        baseline.append(elapsed_s([sys.executable, "-c", BASELINE]))
    return ours[1:], baseline[1:]


if __name__ == "__main__":
    sys.exit(main())
