"""The runs of the families' sweep: which settings of each family are trained on each data set.

configs/families/<family>-<data>.toml + the family's knob --family_runs--> TrainingConfig, …      (once for each run)

The knob is β for beta-vae, modified-beta-vae and nvae, C_max for capacity, the weight of both total correlations for
hfvae, α for decomposition, the discriminator's weight for beta-vae-gan; vae has none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.measuring.machine import CONFIGS
from vaecodec.families import training_config
from vaecodec.families.hfvae.config import HFVAEConfig
from vaecodec.recipes.config import TrainingConfig, read_config

FAMILIES = ("vae", "beta-vae", "capacity", "hfvae", "decomposition", "modified-beta-vae", "beta-vae-gan", "nvae")
SEEDS = (0, 1, 2)
BETAS = (0.1, 0.5, 4.0)
# C_max in nats, and γ for it: more than what the last nat saves, which falls as C rises, and not far more.
CAPACITIES = {
    "mnist": ((10.0, 10.0), (20.0, 3.0), (30.0, 3.0)),
    "dsprites": ((10.0, 20.0), (20.0, 5.0), (30.0, 3.0)),
}
CORRELATION_WEIGHTS = (1.0, 3.0, 10.0)
ALPHAS = (10.0, 30.0, 100.0)
NARROW_SPIKE = 0.02  # dSprites' few latents put information inside a spike of the usual 0.05
TUNED_BETAS = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
ADVERSARIAL_WEIGHTS = (5.0, 20.0, 80.0)
NVAE_BETAS = (1.0, 0.3, 4.0)  # the one whose bound is compared with the vae's comes first: a run takes 45 minutes
SEEDED_BETA, SEEDED_TUNED_BETA = 4.0, 0.3  # the settings that are trained from three seeds

# The setting of each family that is kept, and where a data set keeps another.
KEPT = {
    "vae": "vae",
    "beta-vae": "beta-4",
    "capacity": "capacity-20",
    "hfvae": "weight-3",
    "decomposition": "spike-and-slab-alpha-30",
    "modified-beta-vae": "beta-0.3",
    "beta-vae-gan": "weight-20",
    "nvae": "beta-1",
}
KEPT_INSTEAD = {("decomposition", "dsprites"): "narrow-spike-and-slab-alpha-30"}
CODES_ALONE = ("beta-vae-gan",)  # of these families the codes of the test images are kept, for want of room
MEASURED_ON = {"dsprites-mixed": "dsprites"}  # drawn images are for training alone


@dataclass(frozen=True, slots=True)
class FamilyRun:
    """One run.

    setting: what a table calls it. knob: the number that the family's sweep varies, None for vae. swept: whether it
    belongs to that sweep; the others vary something else.
    """

    config: TrainingConfig
    setting: str
    knob: float | None
    swept: bool = True

    @property
    def data(self) -> str:
        """The data set whose test images it is measured on."""
        return MEASURED_ON.get(self.config.data, self.config.data)

    @property
    def kept(self) -> bool:
        """Whether its model file is committed, or the codes of the test images alone (CODES_ALONE)."""
        return self.config.seed == 0 and kept_setting(self.config.family, self.data) == self.setting


def kept_setting(family: str, data: str) -> str:
    """Which setting is kept."""
    return KEPT_INSTEAD.get((family, data), KEPT[family])


def family_runs(data: str) -> list[FamilyRun]:
    """Every run on a data set, family by family, in the order that they are made in."""
    makers = (_vae, _beta_vae, _capacity, _hfvae, _decomposition, _modified, _adversarial, _nvae)
    return [run for make in makers for run in make(data)]


def family_config(family: str, data: str) -> TrainingConfig:
    """The family's committed config for a data set."""
    return training_config(read_config(CONFIGS / "families" / f"{family}-{data}.toml"))


def _vae(data: str) -> Iterator[FamilyRun]:
    for seed in SEEDS:
        yield _run(family_config("vae", data), "vae", None, seed=seed)


def _betas(family: str, data: str, betas: Sequence[float], seeded: float) -> Iterator[FamilyRun]:
    """A run of each β, and of one of them with every seed."""
    config = family_config(family, data)
    for beta in betas:
        for seed in SEEDS if beta == seeded else SEEDS[:1]:
            yield _run(config, f"beta-{beta:g}", beta, seed=seed, beta=beta)


def _beta_vae(data: str) -> Iterator[FamilyRun]:
    return _betas("beta-vae", data, BETAS, SEEDED_BETA)


def _capacity(data: str) -> Iterator[FamilyRun]:
    for nats, gamma in CAPACITIES[data]:
        yield _run(family_config("capacity", data), f"capacity-{nats:g}", nats, capacity_nats=nats, gamma=gamma)


def _hfvae(data: str) -> Iterator[FamilyRun]:
    config = family_config("hfvae", data)
    for weight in CORRELATION_WEIGHTS:
        yield _run(config, f"weight-{weight:g}", weight, within=weight, between=weight)
    assert isinstance(config.model, HFVAEConfig)
    pairs = replace(config.model, groups=(2,) * (config.model.latents // 2), joint=True)
    yield _run(replace(config, model=pairs), "joint-pairs-weight-1", 1.0, swept=False, within=1.0, between=1.0)


def _decomposition(data: str) -> Iterator[FamilyRun]:
    """The three α with the sparse prior; the other priors once each, the mixture with the inclusive KL."""
    config = family_config("decomposition", data)
    for alpha in ALPHAS:
        yield _run(config, f"spike-and-slab-alpha-{alpha:g}", alpha, alpha=alpha)
    if data == "dsprites":
        narrow: dict[str, Any] = {"alpha": 30.0, "spike_sigma": NARROW_SPIKE}
        yield _run(config, "narrow-spike-and-slab-alpha-30", 30.0, swept=False, **narrow)
    for prior in ("anisotropic", "student-t"):
        yield _run(config, f"{prior}-alpha-10", 10.0, swept=False, alpha=10.0, prior=prior)
    other: dict[str, Any] = {"alpha": 1.0, "prior": "mixture", "divergence": "inclusive-kl"}
    yield _run(config, "mixture-inclusive-kl-alpha-1", 1.0, swept=False, **other)


def _modified(data: str) -> Iterator[FamilyRun]:
    return _betas("modified-beta-vae", data, TUNED_BETAS, SEEDED_TUNED_BETA)


def _adversarial(data: str) -> Iterator[FamilyRun]:
    for weight in ADVERSARIAL_WEIGHTS:
        config = family_config("beta-vae-gan", data)
        yield _run(config, f"weight-{weight:g}", weight, adversarial_weight=weight)


def _nvae(data: str) -> Iterator[FamilyRun]:
    for beta in NVAE_BETAS:
        yield _run(family_config("nvae", data), f"beta-{beta:g}", beta, beta=beta)


def _run(
    config: TrainingConfig, setting: str, knob: float | None, *, seed: int = 0, swept: bool = True, **objective: Any
) -> FamilyRun:
    """The config with these numbers in its objective, named after family, data, setting and seed."""
    named = config.name if setting == config.family else f"{config.name}-{setting}"
    name = f"{named}-seed-{seed}" if seed else named
    config = replace(config, name=name, seed=seed, objective=replace(config.objective, **objective))
    return FamilyRun(config, setting, knob, swept)
