"""The rotation experiment and the reference network: what they compute, on untrained models."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from benchmarks.measuring.float_model import bound
from benchmarks.published import SIDES, reference_config
from benchmarks.rotation import RotatedVAE, full_bound, gaussian_kl, random_rotation, rotated_correlations
from benchmarks.studies.published_points import BETAS, PUBLISHED
from vaecodec.families import find_family
from vaecodec.families.conv.config import TraditionalObjective
from vaecodec.families.trainables import make_trainable
from vaecodec.recipes.objective import Trainable
from vaecodec.recipes.sizes import ModelConfig

SIZES = ModelConfig(8, 8, latents=5, channels=(4,), hidden=6)
IMAGES = np.random.default_rng(0).integers(0, 256, (400, 8, 8)).astype(np.uint8)


def vae():
    torch.manual_seed(0)
    model = find_family("vae").build(SIZES)
    with torch.no_grad():  # posteriors that differ from image to image and from latent to latent
        model.analysis.mean.weight.mul_(20)
        model.analysis.log_variance.weight.mul_(10)
        model.synthesis.dense[0].weight.mul_(10)
    return Trainable(model, TraditionalObjective()).eval()


def test_the_rotation_is_orthogonal_and_follows_the_seed():
    q = random_rotation(7, 3)
    torch.testing.assert_close(q @ q.T, torch.eye(7), atol=1e-6, rtol=0)
    assert torch.equal(q, random_rotation(7, 3))
    assert not torch.equal(q, random_rotation(7, 4))


def test_the_rotated_model_gives_the_same_images_and_the_rotated_posterior():
    trainable, q = vae(), random_rotation(5, 0)
    rotated = RotatedVAE(trainable.model, q).eval()
    x = torch.from_numpy(IMAGES[:6].astype(np.float32) / 255)
    before, after = trainable.model.analyse(x), rotated.analyse(x)
    torch.testing.assert_close(after.mean, before.mean @ q.T, atol=1e-5, rtol=1e-4)
    covariance = rotated.covariance(x)
    torch.testing.assert_close(covariance[2], q @ before.log_variance[2].exp().diag() @ q.T)
    torch.testing.assert_close(after.log_variance.exp(), covariance.diagonal(dim1=1, dim2=2))
    y = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotated.synthesise(y @ q.T), trainable.model.synthesise(y), atol=1e-4, rtol=1e-4)


def test_the_kl_of_a_full_covariance_is_torchs():
    normal = torch.randn(4, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    covariance = normal @ normal.transpose(1, 2) + 0.1 * torch.eye(5)
    mean = normal[:, 0]
    expected = kl_divergence(
        MultivariateNormal(mean, covariance), MultivariateNormal(torch.zeros(5).double(), torch.eye(5).double())
    )
    torch.testing.assert_close(gaussian_kl(mean, covariance, torch.linalg.cholesky(covariance)), expected)


def test_the_bound_is_the_same_before_and_after():
    trainable = vae()
    before, after = (
        full_bound(RotatedVAE(trainable.model, q).eval(), trainable, IMAGES, 0)
        for q in (torch.eye(5), random_rotation(5, 0))
    )
    assert after["kl_nats"] == pytest.approx(before["kl_nats"], rel=1e-5)
    assert after["reconstruction_nats"] == pytest.approx(before["reconstruction_nats"], rel=0.02)
    assert before["kl_nats"] == pytest.approx(bound(trainable, IMAGES)[1], rel=1e-4)


def test_a_rotation_that_changes_nothing_leaves_the_total_correlation():
    trainable = vae()
    before, after = rotated_correlations(trainable, RotatedVAE(trainable.model, torch.eye(5)).eval(), IMAGES, 0)
    assert after.total_nats == pytest.approx(before.total_nats, abs=1e-3)
    _, after = rotated_correlations(trainable, RotatedVAE(trainable.model, random_rotation(5, 0)).eval(), IMAGES, 0)
    assert after.joint_nats == before.joint_nats
    assert math.isfinite(after.total_nats)


@pytest.mark.parametrize(("data", "beta"), sorted(PUBLISHED))
def test_the_reference_has_its_published_sizes(data, beta):
    config = reference_config(data, beta)
    model = make_trainable(config).model
    side = SIDES[data]
    x = torch.zeros(2, side, side)
    assert model.synthesise(model.analyse(x).mean).shape == x.shape
    assert model.heads.out_features == 20
    assert [layer.out_features for layer in model.encoder if isinstance(layer, torch.nn.Linear)] == [256, 256]
    assert config.objective.beta == beta in BETAS
