"""Lossless files of the released models give the same pixels whatever evaluates the networks."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.lossless_exactness import BATCHES, compare_engines
from vaecodec.data import load_dataset
from vaecodec.modelfile.installed import aliases

DATA = Path(__file__).parents[1] / "fixtures" / "data"
IMAGES = 50
RELEASED = [data for data in ("mnist", "dsprites") if f"{data}-lossless" in aliases()]


@pytest.mark.parametrize("data", RELEASED)
def test_every_engine_decodes_the_same_pixels(data: str) -> None:
    sets = [load_dataset(data, split, data_dir=DATA).images for split in ("test", "train")]
    images = np.concatenate(sets)[:IMAGES]
    assert len(images) == IMAGES
    engines, stored = compare_engines(f"{data}-lossless", images)
    assert stored == 0
    assert len(engines) == 6 * len(BATCHES)  # numpy with 1 and 2 threads; torch in 2 precisions, oneDNN on and off
    assert [engine for engine in engines if not engine.equal] == []
