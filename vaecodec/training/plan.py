"""A plan: how many steps of a run fit into the minutes that a person gives it, its finishing included.

minutes ── spent so far ── finishing ──> seconds of training ── / seconds a step, measured ──> steps

The number is fixed before the first step: a run that is interrupted and goes on ends as it would have ended.
"""

from __future__ import annotations

from dataclasses import replace

from vaecodec.data.image_set import ImageSet
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.training.loop import seconds_a_step

FINISHING_S = 60.0  # the export of graphs, tables and the comparison: what takes as long for a small network
FINISHING_STEPS = 900  # as long as so many steps take tables and fine-tuning, which a larger network slows down
MARGIN = 1.06  # a step may take so much longer than it did when it was measured: saving and validation come between
LEAST_STEPS = 20
REPORTS = 10  # at even distances; time brings others (training.loop)


def planned(
    config: TrainingConfig, training: ImageSet, validation: ImageSet, hardware: Hardware, *, left_s: float
) -> TrainingConfig:
    """The config with as many steps as fit into the seconds that are left, LEAST_STEPS at least; some are measured."""
    step_s = seconds_a_step(config, training.images, validation.images, hardware)
    steps = max(LEAST_STEPS, int((left_s - FINISHING_S - FINISHING_STEPS * step_s) / (MARGIN * step_s)))
    every = max(1, steps // REPORTS)
    warmup_steps = min(config.optimiser.warmup_steps, every)
    optimiser = replace(
        config.optimiser, steps=steps, warmup_steps=warmup_steps, validate_every=every, checkpoint_every=every
    )
    return replace(config, optimiser=optimiser)
