"""The β sweep: one config for each β.

configs/rd-<data>.toml + β --sweep_config--> TrainingConfig
"""

from dataclasses import replace

from benchmarks.measuring.machine import CONFIGS
from benchmarks.measuring.runs import QUICK_STEPS
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig, read_config

BETAS = (0.01, 0.1, 0.5, 1.0, 4.0, 16.0)
ANNEAL_FROM, ANNEAL_STEPS = 1.0, 2000
QUICK_BETAS = (0.1, 16.0)


def sweep_config(data: str, beta: float, *, quick: bool = False) -> TrainingConfig:
    """The config of one run of the sweep. quick: a training of seconds, to see that the whole path works."""
    values = read_config(CONFIGS / f"rd-{data}.toml")
    values = {
        **values,
        "name": f"{values['name']}-beta-{beta:g}",
        "objective": {**values["objective"], **_schedule(data, beta), "beta": beta},
    }
    config = training_config(values)
    if not quick:
        return config
    optimiser = replace(config.optimiser, steps=QUICK_STEPS, warmup_steps=20)
    return replace(
        config, optimiser=optimiser, finish=replace(config.finish, step_multipliers=(3.46,), synthesis_steps=50)
    )


def sweep_configs(data: str, *, quick: bool = False) -> list[TrainingConfig]:
    """The configs of all runs of the sweep, β rising."""
    return [sweep_config(data, beta, quick=quick) for beta in (QUICK_BETAS if quick else BETAS)]


def _schedule(data: str, beta: float) -> dict[str, float | int]:
    """β below 1 on dSprites begins at 1.

    From the start such a β trains more slowly than its larger neighbours: after 6,000 steps 0.01 had the larger
    distortion of the two beside 0.1. Beginning alike, the runs part where their β does.
    """
    if data != "dsprites" or beta >= ANNEAL_FROM:
        return {}
    return {"anneal_from": ANNEAL_FROM, "anneal_steps": ANNEAL_STEPS}
