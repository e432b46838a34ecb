"""What packed analyses cost: bytes and PSNR of each model's files before and after, at every level.

    python -m benchmarks.packing BEFORE AFTER [--pack]

Every model file in the folder AFTER is compared with that of its name in BEFORE, over the test set (at most 1,000 of
its images, evenly spaced, at each level of a model of several); exact files over 1,000. --pack makes AFTER first, of
all files in BEFORE that are not there. Writes results/packing.json; 1 where a bar is missed: 0.2 % of the bytes,
0.02 dB.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.images import Images, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import lossy_streams
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse
from vaecodec.modelfile.installed import SUFFIX
from vaecodec.modelfile.model import pack_model, read_model
from vaecodec.recipes.pack_analysis import pack_model_weights

MOST_BYTES_PER_CENT = 0.2
MOST_DB = 0.02
IMAGES_OF_SEVERAL_LEVELS, EXACT_IMAGES = 1000, 1000


@dataclass(frozen=True, slots=True)
class Change:
    """Mean bytes of a file and PSNR (of the mean MSE) before and after; PSNR None where files are exact."""

    level: int | None
    bytes_before: float
    bytes_after: float
    psnr_db_before: float | None
    psnr_db_after: float | None

    @property
    def bytes_per_cent(self) -> float:
        """What files have grown by."""
        return 100 * (self.bytes_after / self.bytes_before - 1)

    @property
    def lost_db(self) -> float:
        """What images have lost."""
        return 0.0 if self.psnr_db_before is None else self.psnr_db_before - (self.psnr_db_after or 0)

    @property
    def holds(self) -> bool:
        """Whether both bars do."""
        return self.bytes_per_cent <= MOST_BYTES_PER_CENT and self.lost_db <= MOST_DB

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        stored = {name: getattr(self, name) for name in Change.__slots__}
        return {**stored, "bytes_per_cent": self.bytes_per_cent, "lost_db": self.lost_db}


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack, measure, store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packing", description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path, help="folder of model files")
    parser.add_argument("after", type=Path, help="folder of the same, packed")
    parser.add_argument("--pack", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    if options.pack:
        pack_all(options.before, options.after)
    models = [compare_files(options.before / path.name, path) for path in sorted(options.after.glob(f"*{SUFFIX}"))]
    result = {"bars": {"bytes_per_cent": MOST_BYTES_PER_CENT, "db": MOST_DB}, "models": models}
    write_results(options.out / "packing.json", result, seed=0)
    return 0 if all(model["holds"] for model in models) else 1


def pack_all(before: Path, after: Path) -> None:
    """Write what is missing."""
    after.mkdir(exist_ok=True)
    for path in sorted(before.glob(f"*{SUFFIX}")):
        if not (after / path.name).exists():
            (after / path.name).write_bytes(pack_model(pack_model_weights(read_model(path))))


def compare_files(before: Path, after: Path) -> dict[str, Any]:
    """Two files of one model; raises AssertionError where they do not decode alike."""
    codecs = Codec.load(before), Codec.load(after)
    model = codecs[0].model
    if codecs[0].fingerprint != codecs[1].fingerprint:
        raise AssertionError(f"{before} and {after} have different fingerprints")
    test = load_dataset("mnist" if (model.height, model.width) == (28, 28) else "dsprites", "test").images
    images = test if len(model.levels) == 1 else evenly_spaced(test, min(IMAGES_OF_SEVERAL_LEVELS, len(test)))
    changes = [change_at(codecs, images, level) for level in range(len(model.levels))]
    if model.has_lossless:
        changes.append(exact_change(codecs, evenly_spaced(test, EXACT_IMAGES)))
    worst = max(changes, key=lambda one: one.bytes_per_cent), max(changes, key=lambda one: one.lost_db)
    said = f"{worst[0].bytes_per_cent:+.3f} % of bytes, {worst[1].lost_db:+.4f} dB lost at the most"
    print(f"{after.stem}: {before.stat().st_size} -> {after.stat().st_size} bytes; {said}", file=sys.stderr, flush=True)
    return {
        "file": after.stem,
        "model_bytes_before": before.stat().st_size,
        "model_bytes_after": after.stat().st_size,
        "images": len(images),
        "largest_bytes_per_cent": worst[0].bytes_per_cent,
        "largest_lost_db": worst[1].lost_db,
        "holds": all(one.holds for one in changes),
        "changes": [one.to_dict() for one in changes],
    }


def change_at(codecs: tuple[Codec, Codec], images: Images, level: int) -> Change:
    """Lossy files of a level."""
    sizes, psnr = [], []
    for codec in codecs:
        streams = lossy_streams(codec, images, level)
        sizes.append(float(np.mean([len(data) for data in streams])))
        psnr.append(psnr_db_from_mse(float(mse(images, np.stack(codec.decompress_batch(streams))).mean())))
    return Change(level, sizes[0], sizes[1], psnr[0], psnr[1])


def exact_change(codecs: tuple[Codec, Codec], images: Images) -> Change:
    """Exact files."""
    streams = [codec.compress_batch(images, target=Target(max_error=0)) for codec in codecs]
    before, after = (float(np.mean([len(data) for data in files])) for files in streams)
    return Change(None, before, after, None, None)


if __name__ == "__main__":
    raise SystemExit(main())
