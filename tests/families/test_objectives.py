"""Each family's objective against a closed form, torch's distributions, or a computation by another way."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, StudentT, kl_divergence
from torch.distributions.relaxed_categorical import ExpRelaxedCategorical

from vaecodec.errors import ConfigError
from vaecodec.families import find_family, training_config
from vaecodec.families.conv.config import (
    AdversarialObjective,
    CapacityObjective,
    DecompositionObjective,
    TraditionalObjective,
)
from vaecodec.families.conv.objective_capacity import CapacityTrainable
from vaecodec.families.conv.objective_decomposition import DecompositionTrainable, make_prior
from vaecodec.families.conv.objective_gan import AdversarialTrainable, Contest
from vaecodec.families.hfvae.config import HFVAEConfig, HFVAEObjective
from vaecodec.families.hfvae.model import StructuredPosterior
from vaecodec.families.hfvae.objective import HFVAETrainable, concrete_log_density
from vaecodec.families.trainables import make_trainable
from vaecodec.layers import latent_priors
from vaecodec.layers.base import Posterior
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.divergences import dimension_wise_mmd, inclusive_kl_nats, log_marginal, pairwise
from vaecodec.recipes.objective import Trainable, distortion_nats
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.sizes import ModelConfig

SIZES = ModelConfig(8, 8, latents=3, channels=(4,), hidden=6)
STRUCTURED = HFVAEConfig(8, 8, latents=4, channels=(4,), hidden=6, categories=3, groups=(1, 3))


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6, side=8):
    return torch.rand(count, side, side, generator=rng(9))


def model(family, sizes=SIZES):
    torch.manual_seed(1)
    return find_family(family).build(sizes)


def posterior(batch=5, latents=3, seed=2):
    mean, log_variance = torch.randn(2, batch, latents, dtype=torch.float64, generator=rng(seed))
    return Posterior(mean, log_variance)


def test_the_vae_minimises_the_negative_elbo():
    vae = model("vae")
    losses = Trainable(vae, TraditionalObjective())(images(), 1.0, rng())
    found = vae.analyse(images())
    y = found.sample(rng())
    log_likelihood = torch.distributions.Bernoulli(logits=vae.synthesise(y), validate_args=False).log_prob(images())
    kl = kl_divergence(Normal(found.mean, (0.5 * found.log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
    elbo = log_likelihood.sum(dim=(1, 2)) - kl
    torch.testing.assert_close(losses.objective_nats, -elbo.mean())
    torch.testing.assert_close(losses.rate_nats, kl.mean())


@pytest.mark.parametrize("beta", [0.25, 4.0])
def test_the_beta_vae_weighs_the_kl(beta):
    losses = Trainable(model("beta-vae"), ObjectiveConfig(beta=beta))(images(), beta, rng())
    torch.testing.assert_close(losses.objective_nats, losses.distortion_nats + beta * losses.rate_nats)


@pytest.mark.parametrize("risen", [0.0, 0.5, 1.0])
def test_capacity_holds_the_kl_at_c(risen):
    config = CapacityObjective(gamma=7.0, capacity_nats=3.0)
    vae = model("capacity")
    kl = vae.analyse(images()).kl_nats().sum(dim=1)
    losses = CapacityTrainable(vae, config)(images(), risen, rng())
    expected = losses.distortion_nats + 7 * (kl.mean() - 3 * risen).abs()
    torch.testing.assert_close(losses.objective_nats, expected)
    each = CapacityTrainable(vae, CapacityObjective(gamma=7.0, capacity_nats=3.0, per_image=True))
    expected = losses.distortion_nats + 7 * (kl - 3 * risen).abs().mean()
    torch.testing.assert_close(each(images(), risen, rng()).objective_nats, expected)


def test_capacity_chooses_the_step_whose_files_take_what_is_asked_for():
    trainable = CapacityTrainable(model("capacity"), CapacityObjective(gamma=10.0, capacity_nats=20.0))
    wanted = 20 + 8 * 0.25 * math.log(2)  # eight latents pay for being quantised
    assert trainable.judge(100.0, wanted, 8) == 100
    assert trainable.judge(100.0, wanted, 8) < min(trainable.judge(99.0, wanted + off, 8) for off in (-1, 1))
    assert Trainable(model("beta-vae"), ObjectiveConfig(beta=2.0)).judge(5.0, 3.0, 8) == 11.0


def test_log_marginal_is_the_aggregate_where_the_batch_is_the_whole_set():
    found = posterior()
    y = torch.randn(5, 3, dtype=torch.float64, generator=rng(3))
    pairs = pairwise(found, y).sum(dim=2)
    expected = [
        math.log(
            np.mean(
                [
                    math.exp(Normal(m, s).log_prob(one).sum())
                    for m, s in zip(found.mean, (0.5 * found.log_variance).exp(), strict=True)
                ]
            )
        )
        for one in y
    ]
    torch.testing.assert_close(log_marginal(pairs, 5), torch.tensor(expected, dtype=torch.float64))


def test_log_marginal_of_a_larger_set_weighs_the_samples_own_posterior_once():
    pairs = torch.randn(4, 4, dtype=torch.float64, generator=rng(4))
    own, others = pairs.exp().diagonal(), pairs.exp().sum(dim=1) - pairs.exp().diagonal()
    expected = (own / 100 + 99 / 100 * others / 3).log()
    torch.testing.assert_close(log_marginal(pairs, 100), expected)
    torch.testing.assert_close(log_marginal(pairs[..., None].expand(4, 4, 2), 100), expected[:, None].expand(4, 2))


def structured(batch=6):
    mean, log_variance = torch.randn(2, batch, 4, dtype=torch.float64, generator=rng(5))
    logits = torch.randn(batch, 3, dtype=torch.float64, generator=rng(6)).log_softmax(dim=1)
    return StructuredPosterior(mean, log_variance, logits)


def test_the_four_terms_of_hfvae_add_up_to_the_rate_of_the_sample():
    trainable = HFVAETrainable(model("hfvae", STRUCTURED), HFVAEObjective(), population=1000)
    found = structured()
    category, y = found.relaxed_category(0.66, rng()), found.sample(rng(1))
    terms = trainable.terms(found, category, y)
    uniform = torch.full((3,), -math.log(3), dtype=torch.float64)
    rate = (
        found.log_density(y).sum(dim=1)
        - Normal(0, 1).log_prob(y).sum(dim=1)
        + ExpRelaxedCategorical(torch.tensor(0.66), logits=found.category_logits).log_prob(category)
        - ExpRelaxedCategorical(torch.tensor(0.66), logits=uniform).log_prob(category)
    )
    total = terms.information + terms.between + terms.within + terms.dimension
    torch.testing.assert_close(total, rate)


def test_each_term_of_hfvae_is_what_loops_over_the_batch_give():
    population, temperature = 40, 0.66
    trainable = HFVAETrainable(model("hfvae", STRUCTURED), HFVAEObjective(temperature=temperature), population)
    found = structured()
    category, y = found.relaxed_category(temperature, rng()), found.sample(rng(1))
    terms = trainable.terms(found, category, y)
    sigma = (0.5 * found.log_variance).exp()

    def log_q(i, dims, with_category):
        """log of the estimated aggregate of some latents at sample i."""
        values = []
        for j in range(6):
            log = Normal(found.mean[j, dims], sigma[j, dims]).log_prob(y[i, dims]).sum()
            if with_category:
                own = ExpRelaxedCategorical(torch.tensor(temperature), logits=found.category_logits[j])
                log = log + own.log_prob(category[i])
            weight = 1 / population if i == j else (population - 1) / (population * 5)
            values.append(math.log(weight) + float(log))
        return float(torch.logsumexp(torch.tensor(values, dtype=torch.float64), 0))

    for i in range(6):
        groups = [log_q(i, [0], False), log_q(i, [1, 2, 3], False), log_q(i, [], True)]
        latents = [log_q(i, [d], False) for d in range(4)]
        joint = log_q(i, [0, 1, 2, 3], True)
        assert float(terms.between[i]) == pytest.approx(joint - sum(groups))
        assert float(terms.within[i]) == pytest.approx(sum(groups[:2]) - sum(latents))


def test_the_weights_of_hfvae_are_those_of_its_terms():
    hfvae = model("hfvae", STRUCTURED)
    weights = {"information": 0.5, "dimension": 2.0, "within": 3.0, "between": 5.0}
    trainable = HFVAETrainable(hfvae, HFVAEObjective(**weights), population=30).train()
    losses = trainable(images(), 1.0, rng())
    again = rng()
    found = hfvae.analyse(images())
    y, category = found.sample(again), found.relaxed_category(0.66, again)
    terms = trainable.terms(found, category, y)
    distortion = distortion_nats(hfvae.synthesise(torch.cat([category.exp(), y], dim=1)), images(), trainable.config)
    weighted = sum(weight * getattr(terms, name).mean() for name, weight in weights.items())
    torch.testing.assert_close(losses.objective_nats, distortion.mean() + weighted)
    category_kl = kl_divergence(Categorical(logits=found.category_logits), Categorical(logits=torch.zeros(3)))
    torch.testing.assert_close(losses.rate_nats, (found.kl_nats().sum(dim=1) + category_kl).mean())


def test_a_validation_of_hfvae_takes_hard_categories():
    hfvae = model("hfvae", STRUCTURED)
    trainable = HFVAETrainable(hfvae, HFVAEObjective(temperature=50.0), population=30)  # relaxed: nearly uniform
    seen = []
    hfvae.synthesis.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0][:, :3]))
    trainable.eval()(images(), 1.0, rng())
    trainable.train()(images(), 1.0, rng())
    assert sorted(seen[0].unique().tolist()) == [0, 1]
    assert seen[1].max() < 0.5


def test_the_concrete_density_is_torchs():
    logits, temperature = torch.randn(7, 5, generator=rng(7)), 0.4
    log_y = (torch.randn(7, 5, generator=rng(8)) * 3).log_softmax(dim=1)
    expected = ExpRelaxedCategorical(torch.tensor(temperature), logits=logits).log_prob(log_y)
    torch.testing.assert_close(concrete_log_density(log_y, logits, temperature), expected)


def test_relaxed_categories_follow_the_generator_and_come_up_as_often_as_they_should():
    logits = torch.tensor([[0.7, 0.2, 0.1]]).log().expand(20000, 3)
    found = StructuredPosterior(torch.zeros(20000, 1), torch.zeros(20000, 1), logits)
    first, again = (found.relaxed_category(0.3, rng()) for _ in range(2))
    assert torch.equal(first, again)
    torch.testing.assert_close(first.exp().sum(dim=1), torch.ones(20000))
    shares = torch.bincount(first.argmax(dim=1)) / 20000
    torch.testing.assert_close(shares, torch.tensor([0.7, 0.2, 0.1]), atol=0.01, rtol=0)


def priors():
    torch.manual_seed(3)
    mixture = latent_priors.GaussianMixture(3, 4)
    with torch.no_grad():
        mixture.logits.copy_(torch.randn(4, generator=rng(1)))
        mixture.log_variance.copy_(torch.randn(4, 3, generator=rng(2)))
    variance = latent_priors.AnisotropicGaussian(3, 9.0).variance
    spike = MixtureSameFamily(Categorical(torch.tensor([0.7, 0.3])), Normal(torch.zeros(2), torch.tensor([0.1, 1.0])))
    components = torch.distributions.Independent(Normal(mixture.mean, (0.5 * mixture.log_variance).exp()), 1)
    return [
        (latent_priors.AnisotropicGaussian(3, 9.0), lambda y: Normal(0, variance.sqrt()).log_prob(y).sum(dim=1)),
        (latent_priors.StudentT(3, 5.0), lambda y: StudentT(5.0).log_prob(y).sum(dim=1)),
        (latent_priors.SpikeAndSlab(3, 0.7, 0.1), lambda y: spike.log_prob(y).sum(dim=1)),
        (mixture, MixtureSameFamily(Categorical(logits=mixture.logits), components).log_prob),
    ]


@pytest.mark.parametrize("number", range(4))
def test_the_priors_densities_are_torchs(number):
    prior, expected = priors()[number]
    y = torch.randn(50, 3, generator=rng(4)) * 2
    torch.testing.assert_close(prior.log_density(y), expected(y))


@pytest.mark.parametrize("number", range(4))
def test_samples_of_the_priors_have_their_density(number):
    """Quantiles of 40,000 samples against the distribution function, integrated from the density of one latent."""
    prior, _ = priors()[number]
    drawn = prior.sample(40000, rng(5)).detach()
    assert torch.equal(drawn, prior.sample(40000, rng(5)).detach())
    grid = torch.linspace(-30, 30, 60001, dtype=torch.float64)
    for d in range(3):
        if isinstance(prior, latent_priors.GaussianMixture):
            parts = Normal(prior.mean[:, d].double(), (0.5 * prior.log_variance[:, d]).double().exp())
            density = (parts.log_prob(grid[:, None]).exp() * prior.logits.softmax(0)).sum(dim=1).detach()
        elif isinstance(prior, latent_priors.AnisotropicGaussian):
            density = Normal(0, prior.variance[d].double().sqrt()).log_prob(grid).exp()
        else:
            density = _one(prior, grid).exp()
        cumulative = density.cumsum(0) * (grid[1] - grid[0])
        for share in (0.05, 0.25, 0.5, 0.75, 0.95):
            wanted = float(grid[int((cumulative < share).sum())])
            assert float((drawn[:, d] <= wanted).double().mean()) == pytest.approx(share, abs=0.012)


def _one(prior, grid):
    """The log density of a single latent of a product of equal ones."""
    return prior.log_density(grid[:, None].expand(-1, 3)) / 3


def test_the_anisotropic_kl_is_in_closed_form():
    found = posterior(200)
    prior = latent_priors.AnisotropicGaussian(3, 16.0).double()
    assert float(prior.variance.mean()) == pytest.approx(1)
    assert float(prior.variance[0] / prior.variance[2]) == pytest.approx(16)
    expected = kl_divergence(Normal(found.mean, (0.5 * found.log_variance).exp()), Normal(0, prior.variance.sqrt()))
    torch.testing.assert_close(prior.kl_nats(found, found.mean), expected.sum(dim=1))


def test_the_estimated_kl_is_right_on_average():
    found = Posterior(torch.full((60000, 1), 0.5), torch.full((60000, 1), -1.0))
    prior = latent_priors.SpikeAndSlab(1, 0.8, 0.3)
    grid = torch.linspace(-9, 9, 36001)[:, None]
    log_q = Normal(0.5, math.exp(-0.5)).log_prob(grid[:, 0])
    exact = float((log_q.exp() * (log_q - prior.log_density(grid))).sum() * 0.0005)
    assert float(prior.kl_nats(found, found.sample(rng())).mean()) == pytest.approx(exact, abs=0.02)


def test_mmd_is_what_loops_over_all_pairs_give():
    x, y = torch.randn(2, 7, 3, dtype=torch.float64, generator=rng(6))
    total = 0.0
    for d in range(3):
        for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0):

            def kernel(a, b, c=2 * scale):
                return c / (c + (a - b) ** 2)

            for i in range(7):
                for j in range(7):
                    if i != j:
                        total += float(kernel(x[i, d], x[j, d]) + kernel(y[i, d], y[j, d])) / 42
                    total -= 2 * float(kernel(x[i, d], y[j, d])) / 49
    assert float(dimension_wise_mmd(x, y)) == pytest.approx(total)


def test_mmd_vanishes_between_equal_distributions_and_sees_a_shift():
    x, y = torch.randn(2, 400, 4, generator=rng(7))
    assert abs(float(dimension_wise_mmd(x, y))) < 0.05
    assert float(dimension_wise_mmd(x + 1, y)) > 1


def test_the_inclusive_kl_is_zero_where_every_posterior_is_the_prior_and_right_elsewhere():
    prior = latent_priors.AnisotropicGaussian(2, 4.0)
    own = Posterior(torch.zeros(500, 2), prior.variance.log().expand(500, 2))
    assert float(inclusive_kl_nats(own, prior, rng())) == pytest.approx(0, abs=1e-5)
    shifted = Posterior(torch.full((4000, 2), 0.3), prior.variance.log().expand(4000, 2))
    exact = kl_divergence(Normal(0, prior.variance.sqrt()), Normal(0.3, prior.variance.sqrt())).sum()
    assert float(inclusive_kl_nats(shifted, prior, rng())) == pytest.approx(float(exact), abs=0.03)


@pytest.mark.parametrize("divergence", ["mmd", "inclusive-kl"])
def test_decomposition_adds_alpha_times_its_divergence(divergence):
    vae = model("decomposition")
    config = DecompositionObjective(beta=0.5, alpha=20.0, divergence=divergence, prior="student-t")
    trainable = DecompositionTrainable(vae, config)
    losses = trainable(images(), 0.5, rng())
    again = rng()
    found = vae.analyse(images())
    y = found.sample(again)
    prior = make_prior(config, 3)
    kl = prior.kl_nats(found, y).mean()
    d = dimension_wise_mmd(y, prior.sample(6, again)) if divergence == "mmd" else inclusive_kl_nats(found, prior, again)
    torch.testing.assert_close(losses.objective_nats, losses.distortion_nats + 0.5 * kl + 20 * d)
    torch.testing.assert_close(losses.rate_nats, kl)


def adversarial(weight=3.0):
    return AdversarialTrainable(model("beta-vae-gan"), AdversarialObjective(beta=0.5, adversarial_weight=weight))


def test_the_models_turn_adds_what_the_discriminator_says():
    trainable = adversarial().eval()  # in training the spectral norms move with every look
    losses = trainable(images(), 0.5, rng())
    verdict = trainable.discriminator(losses.decoded).sigmoid()
    expected = losses.distortion_nats + 0.5 * losses.rate_nats - 3 * verdict.log().mean()
    torch.testing.assert_close(losses.objective_nats, expected)


def test_neither_turn_gives_gradients_to_the_other():
    trainable = adversarial().train()
    losses = trainable(images(), 0.5, rng())
    losses.objective_nats.backward()
    assert all(parameter.grad is None for parameter in trainable.discriminator.parameters())
    assert any(parameter.grad is not None for parameter in trainable.model.synthesis.parameters())
    trainable.zero_grad()
    Contest(trainable.discriminator)(images(), losses.decoded).backward()
    assert all(parameter.grad is not None for parameter in trainable.discriminator.parameters())
    assert all(parameter.grad is None for parameter in trainable.model.parameters())
    learned = {id(parameter) for parameter in trainable.learned()}
    assert learned == {id(parameter) for parameter in trainable.model.parameters()}


def test_the_discriminators_turn_is_a_cross_entropy():
    trainable = adversarial().eval()
    contest, other = Contest(trainable.discriminator), images().flip(0) * 0.5
    p, q = (trainable.discriminator(part).sigmoid() for part in (images(), other))
    torch.testing.assert_close(contest(images(), other), -(p.log() + (1 - q).log()).mean())


def test_adversarial_fine_tuning_aims_at_the_models_own_images():
    trainable = adversarial()
    y = torch.randn(6, 3, generator=rng())
    torch.testing.assert_close(trainable.goal(images(), y), trainable.model.synthesise(y).sigmoid())
    assert Trainable(model("beta-vae"), ObjectiveConfig()).goal(images(), y).equal(images())


@pytest.mark.parametrize(
    ("family", "objective", "kind"),
    [
        ("vae", TraditionalObjective(), Trainable),
        ("modified-beta-vae", ObjectiveConfig(), Trainable),
        ("capacity", CapacityObjective(), CapacityTrainable),
        ("decomposition", DecompositionObjective(), DecompositionTrainable),
        ("beta-vae-gan", AdversarialObjective(), AdversarialTrainable),
    ],
)
def test_each_config_gets_its_objective(family, objective, kind):
    assert type(find_family(family).trainable(model(family), objective, 10)) is kind


def values(family, **objective):
    return {
        "name": "x",
        "data": "mnist",
        "family": family,
        "model": {"height": 28, "width": 28},
        "objective": objective,
    }


@pytest.mark.parametrize(
    ("family", "objective", "reason"),
    [
        ("vae", {"beta": 2.0}, "must be 1"),
        ("vae", {"rate": "uniform-noise"}, "gaussian-kl"),
        ("vae", {"gamma": 1.0}, "unknown key 'gamma'"),
        ("beta-vae", {"alpha": 1.0}, "unknown key 'alpha'"),
        ("capacity", {"beta": 0.5}, "must be 1"),
        ("capacity", {"gamma": -1.0}, "gamma"),
        ("capacity", {"capacity_nats": -1.0}, "capacity_nats"),
        ("capacity", {"per_image": 1}, "per_image"),
        ("hfvae", {"within": -0.1}, "within"),
        ("hfvae", {"temperature": 0.0}, "temperature"),
        ("decomposition", {"prior": "cauchy"}, "prior"),
        ("decomposition", {"divergence": "kl"}, "divergence"),
        ("decomposition", {"spike_share": 1.0}, "spike_share"),
        ("decomposition", {"variance_ratio": 0.5}, "variance_ratio"),
        ("decomposition", {"degrees": 0.0}, "degrees"),
        ("decomposition", {"components": 0}, "components"),
        ("beta-vae-gan", {"adversarial_weight": -1.0}, "adversarial_weight"),
        ("beta-vae-gan", {"discriminator_learning_rate": -1.0}, "discriminator_learning_rate"),
    ],
)
def test_what_makes_no_sense_is_refused(family, objective, reason):
    with pytest.raises(ConfigError, match=reason):
        training_config(values(family, **objective))


@pytest.mark.parametrize("family", ["vae", "capacity", "hfvae", "decomposition", "modified-beta-vae", "beta-vae-gan"])
def test_defaults_are_valid_and_come_back(family):
    config = training_config(values(family))
    assert training_config(config.to_dict()) == config
    with pytest.raises(ConfigError, match="objective"):
        make_trainable(TrainingConfig("x", "mnist", config.model, family, objective=OTHER[family]))


OTHER = {
    "vae": ObjectiveConfig(),
    "capacity": TraditionalObjective(),
    "hfvae": ObjectiveConfig(),
    "decomposition": CapacityObjective(),
    "modified-beta-vae": TraditionalObjective(),
    "beta-vae-gan": ObjectiveConfig(),
}


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"categories": 1}, "categories"),
        ({"groups": [3, 4]}, "groups"),
        ({"groups": [0, 8]}, "groups"),
        ({"groups": [4, 4], "joint": True}, "joint table"),
    ],
)
def test_groups_that_do_not_fit_are_refused(sizes, reason):
    config = {**values("hfvae"), "model": {"height": 28, "width": 28, "latents": 8, **sizes}}
    with pytest.raises(ConfigError, match=reason):
        training_config(config)
