"""What the integer-exact synthesis costs: its PSNR beside the float one's, as training left it, for the same symbols.

    python -m benchmarks.exact_cost RUN MODEL [--levels-every K]

RUN: the folder of the training that MODEL (a name or a file) was made in. Every K-th level, the whole test set; the
float pixels are rounded to 8 bits, as a float decoder would write them. The bar: at no level more than 0.05 dB lost.
Writes results/exact-cost-<data>.json. Needs vaecodec[bench,train].
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring.images import describe_set
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import levels_to_measure
from vaecodec.arrays import Pixels, Symbols
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.objective import ConditionedTrainable
from vaecodec.families.trainables import make_trainable
from vaecodec.training.checkpoint import load_matching
from vaecodec.training.run_folder import read_run_config

MOST_LOST_DB = 0.05
CHUNK = 500


@dataclass(frozen=True, slots=True)
class ExactCost:
    """PSNR of both syntheses at a level, dB, from the mean squared error over all images."""

    level: int
    float_psnr_db: float
    exact_psnr_db: float

    @property
    def lost_db(self) -> float:
        """Below zero where fine-tuning gained more than the integers lost."""
        return self.float_psnr_db - self.exact_psnr_db


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, store; 1 where the bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exact_cost", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="folder of the training")
    parser.add_argument("model", help="name or file")
    parser.add_argument("--levels-every", type=int, default=4, metavar="K", help="default: 4")
    options = parser.parse_args(arguments)
    codec, config = Codec.load(options.model), read_run_config(options.run)
    if config.name != codec.model.about.get("config", {}).get("name"):  # of a joined model: of its levels
        parser.error(f"{options.run} is not the run of {codec.model.name}")
    trainable = make_trainable(config)
    if not isinstance(trainable, ConditionedTrainable):
        parser.error(f"{config.name} is not a conditioned-vae")
    trainable.load_state_dict(load_matching(options.run, config).model)
    model = trainable.eval().model
    test = load_dataset(config.data, "test")
    rows = []
    for level in levels_to_measure(codec.model, options.levels_every):
        rows.append(measure(codec, model, test.images, level))
        print(f"level {level}: float {rows[-1].float_psnr_db:.3f} dB, lost {rows[-1].lost_db:+.3f} dB", file=sys.stderr)
    most = max(row.lost_db for row in rows)
    result = {
        "data": describe_set(test),
        "model": codec.model.name,
        "levels": [{**asdict(row), "lost_db": row.lost_db} for row in rows],
        "most_lost_db": most,
        "bar_db": MOST_LOST_DB,
        "holds": most <= MOST_LOST_DB,
    }
    stored = RESULTS / f"exact-cost-{config.data.removesuffix('-mixed')}.json"
    write_results(stored, result, seed=config.seed)
    print(stored)
    return 0 if most <= MOST_LOST_DB else 1


def measure(codec: Codec, model: ConditionedVAE, images: Pixels, level: int) -> ExactCost:
    """Both syntheses on the symbols that compressing images (n, h, w) at a level makes, without effort."""
    parts = [images[first : first + CHUNK] for first in range(0, len(images), CHUNK)]
    symbols = [codec.lossy.analyse(part, level) for part in parts]
    exact = np.concatenate([codec.lossy.synthesise(part, level) for part in symbols])
    fill = codec.model.levels[level].tables.fill_collapsed
    floating = np.concatenate([decode_float(model, fill(part), level) for part in symbols])
    return ExactCost(level, *(psnr_db_from_mse(float(mse(images, decoded).mean())) for decoded in (floating, exact)))


@torch.no_grad()
def decode_float(model: ConditionedVAE, symbols: Symbols, level: int) -> Pixels:
    """Pixels (b, h, w) of symbols (b, n) by the float synthesis."""
    levels = torch.full((len(symbols),), level)
    logits = model.synthesise(torch.from_numpy(symbols.astype(np.float32)), levels)
    pixels: Pixels = (255 * torch.sigmoid(logits)).round().to(torch.uint8).numpy()
    return pixels


if __name__ == "__main__":
    sys.exit(main())
