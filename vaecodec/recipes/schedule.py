"""What changes from step to step of a training: the learning rate, and the β that the rate is weighed by."""

from __future__ import annotations

import math

from vaecodec.recipes.config import OptimiserConfig
from vaecodec.recipes.objective_config import ObjectiveConfig


def learning_rate(config: OptimiserConfig, step: int, began: int = 0) -> float:
    """Linear warm-up from the step `began` on, under half a cosine down to zero at the last step."""
    return decayed(config.learning_rate, config, step, began)


def decayed(highest: float, config: OptimiserConfig, step: int, began: int = 0) -> float:
    """What is left at a step of the highest learning rate."""
    warm = min(1.0, (step - began + 1) / max(config.warmup_steps, 1))
    return highest * warm * 0.5 * (1 + math.cos(math.pi * step / config.steps))


def beta_at(objective: ObjectiveConfig, step: int) -> float:
    """Annealed from one β to the other on a logarithmic scale, and warmed up linearly."""
    left = max(0.0, 1 - step / max(objective.anneal_steps, 1)) if objective.anneal_steps else 0.0
    annealed = objective.beta * (objective.anneal_from / objective.beta) ** left if left else objective.beta
    return annealed * min(1.0, (step + 1) / max(objective.warmup_steps, 1))
