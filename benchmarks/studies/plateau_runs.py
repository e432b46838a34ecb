"""The runs that are trained until nothing more is won: configs/plateau/, results/plateau/.

Those of configs/families/ are short, all of them alike, and stay for what they compare. Here validation loss falls by
less than 0.5 % in the last tenth of a run, β begins low where it does not train otherwise, and drawn images are trained
on beside the real ones (none of another split). Families are added as their trainings are done.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.measuring.machine import CONFIGS
from benchmarks.studies.family_runs import SEEDED_BETA, SEEDS, FamilyRun
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig, read_config

BETAS = (0.1, 0.5, 2.0, 4.0, 8.0, 16.0)  # beside vae's 1
CORRELATION_WEIGHT = 3.0
LAST_SHARE, LEAST_FALL = 0.1, 0.005  # a run is on its plateau where its last tenth wins less than this


def plateau_runs(data: str) -> list[FamilyRun]:
    """Every run on a data set, in the order that they are made in."""
    if data != "dsprites":
        return []
    return [*_vae(), *_hfvae(), *_beta_vae()]


def on_plateau(curve: list[dict[str, Any]]) -> bool:
    """Whether the objective on validation images fell by less than LEAST_FALL in the last LAST_SHARE of the steps."""
    last = curve[-1]
    before = [row for row in curve if row["step"] <= last["step"] * (1 - LAST_SHARE)]
    objective = "validation_objective_nats"
    return bool(before) and last[objective] > (1 - LEAST_FALL) * before[-1][objective]


def _vae() -> Iterator[FamilyRun]:
    for seed in SEEDS:
        yield _run(_config("vae"), "vae", None, seed)


def _hfvae() -> Iterator[FamilyRun]:
    weight = CORRELATION_WEIGHT
    for seed in SEEDS:
        yield _run(_config("hfvae"), f"weight-{weight:g}", weight, seed, within=weight, between=weight)


def _beta_vae() -> Iterator[FamilyRun]:
    for beta in BETAS:
        for seed in SEEDS if beta == SEEDED_BETA else SEEDS[:1]:
            yield _run(_config("beta-vae"), f"beta-{beta:g}", beta, seed, beta=beta)


def _config(family: str) -> TrainingConfig:
    return training_config(read_config(CONFIGS / "plateau" / f"{family}-dsprites.toml"))


def _run(config: TrainingConfig, setting: str, knob: float | None, seed: int, **objective: float) -> FamilyRun:
    named = config.name if setting == config.family else f"{config.name}-{setting}"
    name = f"{named}-seed-{seed}" if seed else named
    changed: dict[str, Any] = dict(objective)
    return FamilyRun(
        replace(config, name=name, seed=seed, objective=replace(config.objective, **changed)), setting, knob
    )
