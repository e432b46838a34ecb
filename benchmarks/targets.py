"""Rate control over the whole MNIST test set: results/targets-mnist.json.

    python -m benchmarks.targets [--model NAME] [--effort E] [--images N]

target_bytes N ──> streams of at most N bytes, or refused     N = 16, 24, 32, 48, 64
target_psnr P ───> streams of at least P dB, or refused       P = 20, 25, 30

Every stream is measured here again, by its length and by the image that it decodes to; every image that is refused is
asked for once more alone, as a user would. Bars: no stream misses its target; from 24 bytes on at most 1 % of the
images are refused, and in the mean at most 1.5 bytes are left unused; at most 0.1 % of the images are refused a PSNR.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.images import Images, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from vaecodec.codec.codec import Codec
from vaecodec.codec.search import find_settings
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import TargetMissed
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse

DATA = "mnist"
TARGET_BYTES = (16, 24, 32, 48, 64)
TARGET_PSNR_DB = (20, 25, 30)
TIGHT_FROM_BYTES = 24  # below it many images have no level that is small enough, and nothing is asked of their number
MOST_REFUSED_BYTES, MOST_UNUSED_BYTES = 0.01, 1.5
MOST_REFUSED_PSNR = 0.001


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of a target. sizes: bytes (m,) of the streams of those of the `images` that have one; errors: mean
    squared (m,), of what they decode to. seconds: of the search alone."""

    images: int
    sizes: NDArray[np.int64]
    errors: NDArray[np.float64]
    seconds: float

    @property
    def refused(self) -> int:
        """Images without a stream."""
        return self.images - len(self.sizes)

    @property
    def refused_share(self) -> float:
        """Images without a stream, of all."""
        return self.refused / self.images


@dataclass(frozen=True, slots=True)
class Row:
    """One target as it is stored. broken: streams that miss it. unused_bytes: in the mean, of a target in bytes.

    file_bytes, psnr_db: of the images that have a stream, the PSNR from their mean MSE; None where there are none.
    """

    target: float
    broken: int
    refused: int
    refused_share: float
    file_bytes: float | None
    largest_bytes: int | None
    unused_bytes: float | None
    psnr_db: float | None
    worst_psnr_db: float | None
    ms_an_image: float
    holds: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DATA, help="name or file; default: the alias that has the data set's name")
    parser.add_argument("--effort", type=int, default=0)
    parser.add_argument("--images", type=int, help="only so many of the test set, evenly spaced")
    parser.add_argument("--out", type=Path, default=RESULTS / f"targets-{DATA}.json")
    options = parser.parse_args(arguments)
    codec, test = Codec.load(options.model), load_dataset(DATA, "test")
    images = evenly_spaced(test.images, options.images or len(test))
    result = measure(codec, images, options.effort)
    stored = {"data": {**describe_set(test), "images": len(images)}, "model": codec.model.name, **result}
    write_results(options.out, stored, seed=None)
    print(options.out)
    return 0 if result["every_bar_holds"] else 1


def measure(codec: Codec, images: Images, effort: int = 0) -> dict[str, Any]:
    """Every target over images uint8 (n, h, w)."""
    in_bytes = [
        bytes_row(most, reach(codec, images, Target(target_bytes=most, effort=effort))) for most in TARGET_BYTES
    ]
    in_db = [
        psnr_row(least, reach(codec, images, Target(target_psnr=least, effort=effort))) for least in TARGET_PSNR_DB
    ]
    for unit, rows in (("bytes", in_bytes), ("dB", in_db)):
        for row in rows:
            print(describe(row, unit), file=sys.stderr)
    return {
        "effort": effort,
        "bars": {
            "tight_from_bytes": TIGHT_FROM_BYTES,
            "most_refused_share_of_bytes": MOST_REFUSED_BYTES,
            "most_unused_bytes": MOST_UNUSED_BYTES,
            "most_refused_share_of_psnr": MOST_REFUSED_PSNR,
        },
        "target_bytes": [asdict(row) for row in in_bytes],
        "target_psnr_db": [asdict(row) for row in in_db],
        "every_bar_holds": all(row.holds for row in (*in_bytes, *in_db)),
    }


def reach(codec: Codec, images: Images, target: Target) -> Reached:
    """Ask for a target for every image (n, h, w)."""
    started = time.perf_counter()
    found = find_settings(codec.lossy, codec.frame.fit_all(images), target)
    seconds = time.perf_counter() - started
    met = [k for k, one in enumerate(found) if one.meets]
    streams = dict(zip(met, codec.compress_batch(images[met], target=target), strict=True))
    for k in sorted(set(range(len(images))) - set(met)):
        try:
            streams[k] = codec.compress_batch(images[k : k + 1], target=target)[0]
        except TargetMissed:
            continue
    places = sorted(streams)
    decoded = codec.decompress_batch([streams[k] for k in places])
    errors = mse(images[places], np.stack(decoded)) if places else np.empty(0)
    return Reached(len(images), np.array([len(streams[k]) for k in places], np.int64), errors, seconds)


def bytes_row(most: int, reached: Reached) -> Row:
    """A target in bytes, judged."""
    broken = int((reached.sizes > most).sum())
    unused = float(most - reached.sizes.mean()) if len(reached.sizes) else None
    tight = reached.refused_share <= MOST_REFUSED_BYTES and unused is not None and unused <= MOST_UNUSED_BYTES
    return _row(most, reached, broken, unused, holds=not broken and (tight or most < TIGHT_FROM_BYTES))


def psnr_row(least_db: float, reached: Reached) -> Row:
    """A target in dB, judged."""
    largest = Target(target_psnr=least_db).largest_mse
    assert largest is not None
    broken = int((reached.errors > largest).sum())
    return _row(least_db, reached, broken, None, holds=not broken and reached.refused_share <= MOST_REFUSED_PSNR)


def _row(target: float, reached: Reached, broken: int, unused: float | None, *, holds: bool) -> Row:
    there = len(reached.sizes) > 0
    return Row(
        target=target,
        broken=broken,
        refused=reached.refused,
        refused_share=reached.refused_share,
        file_bytes=float(reached.sizes.mean()) if there else None,
        largest_bytes=int(reached.sizes.max()) if there else None,
        unused_bytes=unused,
        psnr_db=finite_psnr_db(reached.errors.mean()) if there else None,
        worst_psnr_db=finite_psnr_db(reached.errors.max()) if there else None,
        ms_an_image=1e3 * reached.seconds / reached.images,
        holds=holds,
    )


def finite_psnr_db(error: float) -> float | None:
    """PSNR of a mean squared error; None where every image is exact (JSON has no infinity)."""
    return psnr_db_from_mse(float(error)) if error else None


def describe(row: Row, unit: str) -> str:
    """One line for a terminal."""
    told = f"{row.target:g} {unit}: {row.broken} missed, {row.refused_share:.2%} refused"
    if row.file_bytes is not None:
        psnr = "exact" if row.psnr_db is None else f"{row.psnr_db:.2f} dB"
        told += f", in the mean {row.file_bytes:.2f} bytes at {psnr}"
    if row.unused_bytes is not None:
        told += f", {row.unused_bytes:.2f} bytes unused"
    return f"{told}: {'holds' if row.holds else 'MISSED'}"


if __name__ == "__main__":
    sys.exit(main())
