"""A small world: every combination of three factors, many times; its true, rotated and meaningless codes."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from vaecodec.evaluation.disentanglement import GroundTruth, rotate

SIZES = (3, 4, 8)


@pytest.fixture(scope="session")
def truth():
    """3 × 4 × 8 classes, each combination 21 times."""
    grid = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    return GroundTruth(np.tile(grid, (21, 1)).astype(np.int64), ("shape", "scale", "place"), (False, True, True))


@pytest.fixture(scope="session")
def true_codes(truth):
    return truth.factors.astype(np.float64)


@pytest.fixture(scope="session")
def rotated_codes(true_codes):
    return rotate(true_codes, np.random.default_rng(5))


@pytest.fixture(scope="session")
def noise(truth):
    return np.random.default_rng(6).standard_normal((len(truth), 4))


@pytest.fixture(scope="session")
def mixed_codes(truth):
    """Something between: each latent knows several factors, and one knows none."""
    rng = np.random.default_rng(7)
    mixing = rng.standard_normal((3, 4)) * np.array([1, 1, 1, 0])
    return truth.factors @ mixing + rng.standard_normal((len(truth), 4))
