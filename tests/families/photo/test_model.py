"""The codec as training sees it: rates, symbols, the linear floor."""

import math

import numpy as np
import torch

from tests.families.photo.tiny import TINY, smooth_pictures, tiny_model
from vaecodec.families.photo.evaluate import curve
from vaecodec.families.photo.klt import begin_linear, karhunen_loeve, second_moments
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.objective import losses
from vaecodec.families.photo.prior import LogisticMixture
from vaecodec.families.photo.rates import cheapest_symbols, gaussian_bits, rated_bits


def linear_model(crops):
    model = Photo(TINY, LogisticMixture(TINY.hyper_channels))
    begin_linear(model, crops)
    return model


def test_the_bits_of_all_symbols_sum_to_one_probability():
    symbols = torch.arange(-400.0, 401.0)
    for scale in (0.2, 1.0, 30.0):
        bits = gaussian_bits(symbols, torch.full((801,), math.log(scale)))
        assert abs(torch.exp2(-bits.double()).sum().item() - 1) < 1e-3


def test_a_rounded_rate_has_the_gradient_of_the_mean_over_the_interval():
    v = torch.tensor([0.3, 1.6, -2.2], requires_grad=True)
    rated_bits(v, torch.round(v), lambda u: u.square()).sum().backward()
    assert torch.allclose(v.grad, 2 * v.detach(), atol=1e-6)


def test_cheapest_symbols_are_nearest_where_errors_weigh_all_and_never_further_from_zero():
    v = torch.linspace(-3, 3, 61) + 0.03  # no ties
    scale = torch.zeros_like(v)
    nearest = cheapest_symbols(v, scale, torch.tensor(1e6))
    frugal = cheapest_symbols(v, scale, torch.tensor(0.5))
    assert torch.equal(nearest, torch.round(v))
    assert torch.all(frugal.abs() <= nearest.abs())
    assert torch.any(frugal != nearest)


def test_the_klt_is_orthonormal_and_falls():
    moments = second_moments(torch.from_numpy(smooth_pictures(3)).permute(0, 3, 1, 2) / 255 - 0.5)
    basis, variances = karhunen_loeve(moments, 12)
    assert np.allclose(basis @ basis.T, np.eye(12), atol=1e-9)
    assert np.all(np.diff(variances) <= 0)


def test_an_untrained_model_is_the_linear_codec():
    crops = smooth_pictures(4)
    model = linear_model(crops)
    x = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        level = torch.full((4,), 2.0)
        coded = model(x, level)
        step = torch.exp(model.log_step(level))
        latents = model.detail_transform.analyse(x - 0.5) / step
        spread = model.detail_heads.spread(level).expand_as(latents)
        weight = TINY.lambda_of(level)[:, None, None, None] * (255 * step).square() / 3
        symbols = cheapest_symbols(latents, spread, weight)
        linear = model.detail_transform.synthesise(symbols * step) + 0.5
    assert torch.all(coded.picture == 0.5)
    assert torch.allclose(coded.x_hat, linear, atol=1e-5)
    assert torch.allclose(coded.detail_bits, gaussian_bits(symbols, spread).sum((1, 2, 3)), rtol=1e-4)


def test_nothing_is_told_of_the_detail_below_its_first_level():
    model = tiny_model()
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        coded = model(x, torch.tensor([0.2, 1.5]))
    assert coded.detail_bits[0] == 0
    assert torch.equal(coded.x_hat[0], coded.picture[0])
    assert coded.detail_bits[1] > 0


def test_every_parameter_has_a_finite_gradient():
    model = tiny_model()
    x, level = torch.rand(2, 3, 64, 64), torch.tensor([0.7, 1.9])
    losses(TINY, x, level, model(x, level)).objective.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == ["log_step.value"] or without == []


def test_a_finer_level_costs_more_and_errs_less():
    crops = smooth_pictures(2)
    coarse, fine = curve(linear_model(crops), list(crops), [1, 2])
    assert fine.rate_bpp > coarse.rate_bpp
    assert fine.psnr_db > coarse.psnr_db


def test_a_picture_of_any_size_has_a_point():
    (point,) = curve(tiny_model(), [smooth_pictures(1)[0][:37, :51]], [1.5])
    assert math.isfinite(point.rate_bpp)
    assert abs(point.rate_bpp - point.z_bpp - point.y_bpp - point.detail_bpp) < 1e-9
