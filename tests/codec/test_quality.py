"""MSE and PSNR, of images of any shape, alone and together."""

import math

import numpy as np
import pytest

from vaecodec.codec import quality
from vaecodec.codec.quality import mse, mse_of_each, psnr_db_from_mse

RNG = np.random.default_rng(0)


def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    return RNG.integers(0, 256, shape, np.uint8), RNG.integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (9, 4, 3)])
def test_the_error_is_the_mean_over_pixels_and_channels(shape: tuple[int, ...]) -> None:
    a, b = pair(*shape)
    assert mse(a, b) == mse(b, a) == pytest.approx(float(((a.astype(float) - b) ** 2).mean()), rel=1e-14)
    assert mse(a, a) == 0


def test_the_errors_of_many_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair(30, 8, 5, 3)
    expected = [mse(one, other) for one, other in zip(a, b, strict=True)]
    assert mse_of_each(a, b).tolist() == mse_of_each(list(a), list(b)).tolist() == expected
    monkeypatch.setattr(quality, "CHUNK_VALUES", 500)
    assert mse_of_each(a, b).tolist() == expected
    mixed = [image[: 1 + k % 8] for k, image in enumerate(a)], [image[: 1 + k % 8] for k, image in enumerate(b)]
    assert mse_of_each(*mixed).tolist() == [mse(one, other) for one, other in zip(*mixed, strict=True)]
    assert mse_of_each([], []).tolist() == []


def test_psnr_is_of_8_bit_pixels() -> None:
    assert psnr_db_from_mse(255**2) == 0
    assert psnr_db_from_mse(65.025) == pytest.approx(30)
    assert psnr_db_from_mse(0) == math.inf
    with pytest.raises(ValueError, match="0 or more"):
        psnr_db_from_mse(-1)
