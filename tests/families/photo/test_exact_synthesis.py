"""The integer-exact synthesis: close to the float one, the same in stripes, the same by another engine."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.families.photo.tiny import TINY, tiny_model
from vaecodec.errors import NotExact
from vaecodec.families.photo.convert_layers import greatest_inputs, integer_convolution
from vaecodec.families.photo.convert_synthesis import convert_synthesis
from vaecodec.photo.convolution import Band, ExactConvolution
from vaecodec.photo.synthesis import GAIN_BITS, PIXEL_BITS, STEP_BITS

LEVELS = torch.tensor([0.0, 0.5, 1.3, 2.0])


def told_latents(height, width, seed=0):
    rng = np.random.default_rng(seed)
    base = rng.integers(-60, 61, (height, width, TINY.base_channels)).astype(np.int16)
    detail = (16 * rng.integers(-1, 2, (height, width, TINY.detail_channels))).astype(np.int16)
    return base, detail


@pytest.fixture(scope="module")
def converted():
    model = tiny_model()
    with torch.no_grad(), greatest_inputs(model) as greatest:
        for level in LEVELS:
            told = torch.from_numpy(told_latents(6, 5)[0]).permute(2, 0, 1)[None] / 16
            at = level[None]
            features = model.synthesis.features(told / torch.exp(model.log_gain(at)), at)
            model.synthesis.picture(features, at)
    return model, convert_synthesis(model, LEVELS, greatest)


def float_picture(model, base, detail, level):
    at = LEVELS[level][None]
    with torch.no_grad():
        told = torch.from_numpy(base).permute(2, 0, 1)[None] / 16
        features = model.synthesis.features(told / torch.exp(model.log_gain(at)), at)
        step = torch.exp(model.log_step(at))
        fine = torch.from_numpy(detail).permute(2, 0, 1)[None] / 16 * step
        x = model.synthesis.picture(features, at) + model.detail_transform.synthesise(fine)
    return (255 * x)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_it_is_the_float_synthesis_within_a_grey_level(converted, level):
    model, exact = converted
    base, detail = told_latents(5, 4, seed=1)
    expected = np.clip(float_picture(model, base, detail, level), 0, 255)
    assert np.abs(exact.pixels(base, detail, level) - expected).max() < 1


@pytest.mark.parametrize("rows", [1, 3, 7, 20])
def test_stripes_are_the_whole_picture(converted, rows):
    _, exact = converted
    base, _ = told_latents(23, 3)
    whole = exact.picture(base, 2)
    for trunk in (None, exact.trunk(base, 2)):
        stripes = [exact.picture(base, 2, r, min(23, r + rows), trunk) for r in range(0, 23, rows)]
        assert np.array_equal(np.concatenate(stripes), whole)


def convolved(x, convolution):
    weights = torch.from_numpy(convolution.weights).double().permute(3, 2, 0, 1)
    limit = torch.from_numpy(convolution.limit)[None, :, None, None].double()
    x = torch.floor(x * 2.0**-convolution.input_shift + 0.5)
    x = torch.maximum(torch.minimum(x, limit), 0 * limit if convolution.relu else -limit)
    total = F.conv2d(x, weights, torch.from_numpy(convolution.bias).double(), padding=weights.shape[2] // 2)
    shift = torch.from_numpy(convolution.shift)[None, :, None, None].double()
    return torch.floor(total * torch.exp2(-shift) + 0.5)


def torch_pixels(exact, base, detail, level):
    def planes(values):
        return torch.from_numpy(values).double().permute(2, 0, 1)[None]

    gains = torch.from_numpy(exact.inverse_gain[level]).double()[None, :, None, None]
    x = convolved(torch.floor(planes(base) * gains * 2.0**-GAIN_BITS + 0.5), exact.enter)
    for stage, factor in zip(exact.stages, (2, 2, 4), strict=True):
        x = (x + torch.from_numpy(stage.level_bias[level])[None, :, None, None]).clamp(-32767, 32767)
        for branch in stage.branches:
            hidden = x
            for convolution in branch.convolutions:
                hidden = convolved(hidden, convolution)
            x = (x + hidden).clamp(-32767, 32767)
        x = F.pixel_shuffle(convolved(x, stage.leave), factor)
    basis = torch.from_numpy(exact.basis).double().t()[:, :, None, None]
    sums = F.conv2d(F.pixel_shuffle(planes(detail), 2), basis)
    x = x + F.pixel_shuffle(torch.floor(sums * int(exact.step[level]) * 2.0 ** -(STEP_BITS + 12) + 0.5), 8)
    return torch.floor(x * 2.0**-PIXEL_BITS + 0.5).clamp(0, 255)[0].permute(1, 2, 0).numpy().astype(np.uint8)


def test_torch_in_float64_makes_the_same_pixels(converted):
    _, exact = converted
    base, detail = told_latents(7, 6, seed=4)
    for level in range(len(LEVELS)):
        assert np.array_equal(torch_pixels(exact, base, detail, level), exact.pixels(base, detail, level))


def test_a_convolution_whose_sums_could_be_inexact_is_refused():
    weights = np.full((3, 3, 64, 1), 2**14, np.int16)
    with pytest.raises(NotExact, match="2\\^53"):
        ExactConvolution(weights, np.full(1, 2**53), np.zeros(1, np.int64), np.full(64, 2**15, np.int32))


def test_an_integer_convolution_rounds_halves_up_and_pads_with_zeros():
    convolution = integer_convolution(torch.full((1, 1, 3, 3), 0.5), None, fractions=(0, 0))
    band = Band(np.ones((2, 2, 1)), 0, 2)
    assert np.array_equal(convolution(band).values[:, :, 0], [[2, 2], [2, 2]])
    inner = Band(np.ones((3, 2, 1)), 4, 20)
    assert convolution(inner).first == 5
    assert np.array_equal(convolution(inner).values[:, :, 0], [[3, 3]])
