"""nvae: the order of its groups, its cells, its prior, and what its objective makes of them."""

import math
from pathlib import Path

import pytest
import torch
from torch.distributions import Normal

from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError
from vaecodec.families.nvae.cells import Grow, ResidualCell, Shrink
from vaecodec.families.nvae.config import NVAEConfig, NVAEObjective
from vaecodec.families.nvae.gaussian_prior import LEAST_SCALE, MOST_SCALE, clamped_log_scale, rate_nats
from vaecodec.families.nvae.model import NVAE, as_map, flat
from vaecodec.families.nvae.objective import NVAETrainable, balance
from vaecodec.families.nvae.spectral import SpectralNorms

SMALL = NVAEConfig(8, 8, sides=(1, 4), groups=(2, 1), group_channels=(3, 1), widths=(12, 8), head_width=6)


@pytest.fixture
def model() -> NVAE:
    torch.manual_seed(3)
    return NVAE(SMALL).eval()


def images(count: int) -> torch.Tensor:
    return torch.rand(count, 8, 8, generator=torch.Generator().manual_seed(5))


def test_groups_and_sides_follow_from_the_sizes() -> None:
    assert SMALL.group_sizes == (3, 3, 16)
    assert SMALL.group_scales == (0, 0, 1)
    assert SMALL.latents == 22
    assert NVAEConfig(28, 28).map_sides == (1, 7)
    assert NVAEConfig(64, 64).map_sides == (1, 8)
    assert NVAEConfig(64, 64).pixel_factors == (2, 4)
    assert NVAEConfig(28, 28, sides=(1, 28), groups=(5, 1)).pixel_factors == (1, 1)


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 32},
        {"sides": (1, 5)},
        {"sides": (4, 4)},
        {"sides": (7,)},
        {"groups": (4, 4)},
        {"groups": (3,), "sides": (7,)},
        {"group_channels": (8, 0)},
        {"prior_blocks": -1},
        {"sides": (14, 28), "group_channels": (4, 4)},
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict) -> None:
    with pytest.raises(ConfigError):
        NVAEConfig(**{"height": 28, "width": 28, **sizes})


def test_the_means_and_the_rounded_latents_give_what_files_give(model: NVAE) -> None:
    x = images(5)
    with torch.no_grad():
        walk = model.walk(x, torch.round)
        torch.testing.assert_close(model.analyse(x).mean, walk.mean)
        torch.testing.assert_close(model.synthesise(walk.mean.round()), walk.logits)


def test_a_groups_prior_depends_on_the_groups_before_it_alone(model: NVAE) -> None:
    for layer in model.trunk.priors:  # fresh ones are the same whatever is known
        torch.nn.init.normal_(layer.weight)

    def priors(change: int) -> list[torch.Tensor]:
        order, found = model.trunk.decode_order(1), []
        prior = next(order)
        for group, size in enumerate(SMALL.group_sizes):
            found.append(prior.log_scale.flatten())
            y = as_map(torch.full((1, size), 3.0 if group == change else 1.0), prior.h.shape[-1])
            if group + 1 < len(SMALL.group_sizes):
                prior = order.send(y)
        return found

    with torch.no_grad():
        for change in range(3):
            same = [torch.equal(a, b) for a, b in zip(priors(change), priors(-1), strict=True)]
            assert same == [group <= change for group in range(3)]


def test_maps_and_rows_of_latents_are_each_others_inverse() -> None:
    maps = torch.randn(2, 3, 4, 4)
    assert torch.equal(as_map(flat(maps), 4), maps)
    assert torch.equal(flat(maps)[0, :3], maps[0, :, 0, 0])


def test_a_fresh_cell_is_the_identity_and_shrinking_inverts_the_sides_of_growing() -> None:
    h = torch.randn(2, 8, 4, 4)
    assert torch.equal(ResidualCell(8, 4)(h), h)
    assert Grow(8, 5, 2)(h).shape == (2, 5, 8, 8)
    assert Shrink(5, 8, 2)(Grow(8, 5, 2)(h)).shape == h.shape


def test_of_a_fresh_nvae_the_first_scale_says_about_as_much_as_its_noise_and_the_finer_next_to_nothing() -> None:
    torch.manual_seed(0)
    model = NVAE(NVAEConfig(28, 28)).eval()
    digits = load_dataset("mnist", "test", data_dir=Path(__file__).parents[2] / "fixtures" / "data").images[:40]
    x = torch.from_numpy(digits) / 255
    with torch.no_grad():
        walk = model.walk(x, torch.round)
    first = 3 * 8
    assert walk.mean.std(dim=0)[:first].mean() > 0.2  # the noise's is 0.29
    assert walk.rate_nats[:, :first].mean() < 4  # nats: the fresh prior is about as wide
    assert 0 < walk.mean.std(dim=0)[first:].mean() < 0.1
    assert walk.rate_nats[:, first:].mean() < 0.3


def test_the_rate_is_the_mass_of_the_unit_interval_and_holds_in_the_tails() -> None:
    y, mean = torch.linspace(-30, 30, 121, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    for scale in (0.1, 1.0, 9.0):
        normal = Normal(mean, torch.tensor(scale, dtype=torch.float64))
        mass = normal.cdf(y + 0.5) - normal.cdf(y - 0.5)
        nats = rate_nats(y, mean, torch.tensor(math.log(scale), dtype=torch.float64))
        seen = mass > 1e-12
        torch.testing.assert_close(nats[seen], -mass[seen].log(), rtol=1e-4, atol=1e-6)
        assert nats.isfinite().all()
    far = torch.tensor([40.0], requires_grad=True)
    rate_nats(far, torch.zeros(1), torch.full((1,), math.log(LEAST_SCALE))).backward()
    assert far.grad is not None
    assert far.grad.item() > 1  # it still pulls


def test_scales_stay_within_the_tables() -> None:
    scale = clamped_log_scale(torch.tensor([-100.0, 0.0, 100.0])).exp()
    torch.testing.assert_close(scale[[0, 2]], torch.tensor([LEAST_SCALE, MOST_SCALE]))
    assert LEAST_SCALE < scale[1] < MOST_SCALE


def test_spectral_norms_converge_to_the_largest_singular_values(model: NVAE) -> None:
    norms = SpectralNorms(model.trunk.enter_head)
    for _ in range(200):
        found = norms()
    expected = torch.linalg.matrix_norm(model.trunk.enter_head.layer.weight.flatten(1), ord=2)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    found.backward()
    assert model.trunk.enter_head.layer.weight.grad is not None


def objective_of(trainable: NVAETrainable, beta: float) -> float:
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return float(trainable(images(6), beta, rng).objective_nats)


def test_the_scales_betas_weigh_their_rates_and_warm_up_balances_them(model: NVAE) -> None:
    plain = NVAETrainable(model, NVAEObjective()).eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        losses = plain(images(6), 1.0, rng)
    assert objective_of(plain, 1.0) == pytest.approx(float(losses.distortion_nats + losses.rate_nats), rel=1e-5)
    none = objective_of(NVAETrainable(model, NVAEObjective(scale_betas=(0.0, 0.0))).eval(), 1.0)
    assert none == pytest.approx(float(losses.distortion_nats), rel=1e-5)
    each = [
        objective_of(NVAETrainable(model, NVAEObjective(scale_betas=betas)).eval(), 1.0) - none
        for betas in ((1.0, 0.0), (0.0, 1.0))
    ]
    assert sum(each) == pytest.approx(float(losses.rate_nats), rel=1e-4)
    with pytest.raises(ConfigError):
        NVAETrainable(model, NVAEObjective(scale_betas=(1.0,)))
    with pytest.raises(ConfigError):
        NVAEObjective(rate="gaussian-kl")


def test_balancing_asks_less_of_groups_that_carry_less_for_their_size() -> None:
    weights = balance(torch.tensor([8.0, 4.0, 8.0]), [8, 8, 64])
    assert weights.mean().item() == pytest.approx(1)
    assert weights[0] > weights[1] > weights[2]


def test_the_spectral_norms_belong_to_training_alone(model: NVAE) -> None:
    trainable = NVAETrainable(model, NVAEObjective(spectral_weight=1.0))
    assert {id(p) for p in trainable.learned()} == {id(p) for p in model.parameters()}
    evaluated = objective_of(trainable.eval(), 1.0)
    assert objective_of(trainable.train(), 1.0) > evaluated
