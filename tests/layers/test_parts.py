"""Posterior, learned prior, sizes."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaecodec.errors import ConfigError
from vaecodec.layers.base import Posterior
from vaecodec.layers.priors import FactorizedPrior
from vaecodec.recipes.sizes import ModelConfig


def test_kl_equals_torchs_distributions() -> None:
    mean, log_variance = torch.randn(2, 64, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(Posterior(mean, log_variance).kl_nats(), expected)


def test_samples_have_the_posteriors_mean_and_spread_and_follow_the_generator() -> None:
    posterior = Posterior(torch.full((40000, 2), 3.0), torch.tensor([0.0, 2.0]).expand(40000, 2))
    first, again = (posterior.sample(torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    torch.testing.assert_close(first.mean(dim=0), torch.tensor([3.0, 3.0]), atol=0.05, rtol=0)
    torch.testing.assert_close(first.std(dim=0), torch.tensor([1.0, torch.e]), atol=0.05, rtol=0)


@pytest.fixture(scope="module")
def moved() -> FactorizedPrior:
    torch.manual_seed(0)
    prior = FactorizedPrior(3)
    prior.start_from(torch.tensor([0.0, 40.0, -7.0]), torch.tensor([3.0, 8.0, 1.0]))
    return prior


def test_the_priors_probabilities_sum_to_one(moved: FactorizedPrior) -> None:
    mass = moved.probabilities(-3000, 3000)
    assert mass.dtype == torch.float64
    assert mass.shape == (3, 6001)
    torch.testing.assert_close(mass.sum(dim=1), torch.ones(3, dtype=torch.float64), atol=1e-3, rtol=0)
    assert (mass >= 0).all()


def test_start_from_moves_the_median_and_the_spread(moved: FactorizedPrior) -> None:
    mass = moved.probabilities(-3000, 3000)
    values = torch.arange(-3000, 3001, dtype=torch.float64)
    quartiles = [values[(mass.cumsum(dim=1) >= q).double().argmax(dim=1)] for q in (0.25, 0.5, 0.75)]
    for median, location, wide in zip(quartiles[1], (0, 40, -7), (3, 8, 1), strict=True):
        assert abs(float(median) - location) <= max(wide, 1)
    spread = quartiles[2] - quartiles[0]
    assert spread[1] > spread[0] >= spread[2]


def test_the_rate_is_the_probabilities_logarithm(moved: FactorizedPrior) -> None:
    mass = moved.probabilities(-20, 20)
    symbols = torch.arange(-20, 21)[:, None].expand(-1, 3).float()
    likely = mass.T > 1e-4
    torch.testing.assert_close(moved.rate_nats(symbols)[likely].double(), -mass.T.log()[likely], atol=2e-3, rtol=1e-3)
    assert moved.rate_nats(torch.full((1, 3), 1e8)).isfinite().all()


@pytest.mark.parametrize(
    "sizes",
    [
        {"latents": 0},
        {"latents": 1025},
        {"channels": ()},
        {"channels": (0,)},
        {"hidden": 0},
        {"patch": 0},
        {"height": 30},
        {"width": 27},
        {"height": 0},
        {"height": -28},
        {"width": 260},
        {"patch": 4},
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict) -> None:
    with pytest.raises(ConfigError):
        ModelConfig(**{"height": 28, "width": 28, **sizes})
