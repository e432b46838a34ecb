"""Distortion: definitions by hand, and torchmetrics as the oracle of MS-SSIM."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecodec.evaluation import distortion
from vaecodec.evaluation.distortion import (
    SCALE_WEIGHTS,
    mean_image_psnr,
    ms_ssim,
    ms_ssim_db,
    ms_ssim_per_image,
    mse,
    psnr_db_from_mse,
    psnr_of_set,
    scales_for,
)


def noise(count, side, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side), dtype=np.uint8)


def strokes(count, side, seed):
    """Bright discs on black: flat ground, as in MNIST and dSprites, where MS-SSIM is at its most delicate."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    centres = rng.uniform(0.2 * side, 0.8 * side, (count, 2, 1, 1))
    radii = rng.uniform(0.1 * side, 0.4 * side, (count, 1, 1))
    distance = np.hypot(y - centres[:, 0], x - centres[:, 1])
    return np.clip(255 * (radii - distance), 0, 255).astype(np.uint8)


def disturbed(images, amount, seed):
    shift = np.random.default_rng(seed).integers(-amount, amount + 1, images.shape)
    return np.clip(images.astype(np.int64) + shift, 0, 255).astype(np.uint8)


def oracle(a, b, scales):
    """torchmetrics, corrected at the coarsest scale.

    torchmetrics (1.9) crops the contrast term to valid windows, but averages the coarsest scale's SSIM over reflected
    borders as well; Wang et al. use valid windows throughout. Its own SSIM map gives both means, so that
    the one factor can be exchanged for the other.
    """
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    weights = np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    x, y = (torch.from_numpy(images.astype(np.float64))[:, None] for images in (a, b))
    common = {"sigma": 1.5, "kernel_size": 11, "data_range": 255.0, "reduction": "none"}
    values = functional.multiscale_structural_similarity_index_measure(
        y, x, betas=tuple(weights), normalize="relu", **common
    )
    for _ in range(scales - 1):
        x, y = (torch.nn.functional.avg_pool2d(images, 2) for images in (x, y))
    padded, ssim_map = functional.structural_similarity_index_measure(y, x, return_full_image=True, **common)
    valid = ssim_map[..., 5:-5, 5:-5].mean(dim=(1, 2, 3)).clamp(min=0)
    assert (padded > 0).all(), "these images do not suit the correction"
    return float((values * (valid / padded) ** weights[-1]).mean())


@pytest.mark.parametrize(("side", "scales"), [(28, 2), (64, 3)])
@pytest.mark.parametrize("amount", [1, 20, 120])
@pytest.mark.parametrize("make", [noise, strokes])
def test_ms_ssim_agrees_with_torchmetrics(make, amount, side, scales):
    a = make(12, side, seed=side)
    b = disturbed(a, amount, seed=amount)
    assert ms_ssim(a, b) == pytest.approx(oracle(a, b, scales), abs=1e-7)


@pytest.mark.parametrize("make", [noise, strokes])
def test_ms_ssim_of_five_scales_agrees_with_pytorch_msssim(make):
    torch = pytest.importorskip("torch")
    pytorch_msssim = pytest.importorskip("pytorch_msssim")
    a = make(2, 192, seed=1)  # even at every scale: it pads odd sides, where we leave the last row out
    b = disturbed(a, 60, seed=2)
    x, y = (torch.from_numpy(images.astype(np.float64))[:, None] for images in (a, b))
    weights = list(np.array(SCALE_WEIGHTS) / sum(SCALE_WEIGHTS))  # as published they sum to 1.0001
    expected = float(pytorch_msssim.ms_ssim(x, y, data_range=255, weights=weights))
    assert ms_ssim(a, b) == pytest.approx(expected, abs=2e-6)


def test_ms_ssim_of_unrelated_images_is_small_and_not_negative():
    a, b = strokes(12, 64, seed=1), 255 - strokes(12, 64, seed=1)
    values = ms_ssim_per_image(a, b)
    assert (values >= 0).all()
    assert values.max() < 0.2


def test_ms_ssim_takes_images_that_are_not_square():
    a = noise(4, 64, seed=3)[:, :45]
    assert ms_ssim(a, disturbed(a, 30, seed=4)) == pytest.approx(oracle(a, disturbed(a, 30, seed=4), 3), abs=2e-6)


def test_ms_ssim_does_not_depend_on_the_chunks(monkeypatch):
    a = strokes(9, 28, seed=5)
    b = disturbed(a, 40, seed=6)
    whole = ms_ssim_per_image(a, b)
    monkeypatch.setattr(distortion, "CHUNK_PIXELS", 2 * 28 * 28)
    np.testing.assert_array_equal(ms_ssim_per_image(a, b), whole)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), amount=st.integers(0, 255))
def test_ms_ssim_is_symmetric_and_one_only_for_equal_images(seed, amount):
    a = noise(2, 28, seed)
    b = disturbed(a, amount, seed + 1)
    assert ms_ssim(a, b) == pytest.approx(ms_ssim(b, a), abs=1e-12)
    assert 0 <= ms_ssim(a, b) <= 1 + 1e-12
    assert ms_ssim(a, a) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("short", "scales"), [(11, 1), (21, 1), (22, 2), (28, 2), (44, 3), (64, 3), (176, 5), (999, 5)]
)
def test_the_short_side_decides_the_number_of_scales(short, scales):
    assert scales_for(short, 2 * short) == scales == scales_for(2 * short, short)


def test_ms_ssim_refuses_images_smaller_than_its_window():
    small = np.zeros((1, 10, 64), np.uint8)
    with pytest.raises(ValueError, match="11 px"):
        ms_ssim(small, small)


def test_ms_ssim_db_spreads_the_values_near_one():
    assert ms_ssim_db(0.9) == pytest.approx(10)
    assert ms_ssim_db(0.999) == pytest.approx(30)
    assert ms_ssim_db(1.0) == math.inf


def test_mse_is_of_each_image_and_does_not_wrap_around():
    a = np.zeros((2, 4, 4), np.uint8)
    b = a.copy()
    b[1] = 255
    assert mse(a, b).tolist() == [0, 255**2] == mse(b, a).tolist()


def test_psnr_is_from_the_mean_error_and_not_the_mean_of_the_psnrs():
    a = np.zeros((2, 4, 4), np.uint8)
    b = a.copy()
    b[0], b[1] = 1, 100
    assert psnr_of_set(a, b) == pytest.approx(10 * math.log10(255**2 / ((1 + 100**2) / 2)))
    assert mean_image_psnr(a, b) == pytest.approx((20 * math.log10(255) + 20 * math.log10(2.55)) / 2)


def test_one_wrong_pixel_of_a_sprite_is_36_db():
    a = np.zeros((1, 64, 64), np.uint8)
    b = a.copy()
    b[0, 3, 3] = 255
    assert psnr_of_set(a, b) == pytest.approx(36.12, abs=0.005)


def test_the_psnr_of_exact_images_is_infinite():
    a = noise(3, 16, seed=7)
    assert psnr_of_set(a, a) == math.inf == mean_image_psnr(a, a)
    with pytest.raises(ValueError, match="expected 0 or more"):
        psnr_db_from_mse(-1)


def test_pairs_that_do_not_match_are_refused():
    a = noise(2, 28, seed=8)
    for other in (a[:1], a[:, :27], a.astype(np.float32), a[0]):
        with pytest.raises(ValueError, match="uint8 arrays of one shape"):
            mse(a, other)
    with pytest.raises(ValueError, match="at least one"):
        psnr_of_set(a[:0], a[:0])
