"""How far a run is, and the learning rate that follows from it.

With a number of steps the progress 0 … 1 is a function of the step alone, so a resumed run repeats itself bit for bit.
With minutes it is planned: at each checkpoint the time that is left is divided by the time that a step took lately, so
the schedule comes to its end in time on a machine whose speed changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vaecodec.errors import ConfigError

LAST_RATE = 0.02  # of the peak, at the end
WARM_STEPS = 200


@dataclass(slots=True)
class Plan:
    """progress: 0 … 1. spent_s: time of training so far, kills and restarts left out. Either `steps` or `budget_s`."""

    steps: int | None
    budget_s: float | None
    step: int = 0
    progress: float = 0.0
    spent_s: float = 0.0
    advance: float = 0.0  # progress of one step, until the next checkpoint

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.budget_s is None):
            raise ConfigError("expected either a number of steps or minutes")
        if self.steps is not None:
            self.advance = 1 / self.steps

    @property
    def done(self) -> bool:
        """Whether the schedule is at its end."""
        return self.step >= self.steps if self.steps is not None else self.progress >= 1

    def take(self, seconds: float) -> None:
        """A step was taken."""
        self.step += 1
        self.spent_s += seconds
        self.progress = self.step / self.steps if self.steps is not None else self.progress + self.advance

    def revise(self, step_s: float) -> None:
        """Plan the rest anew: a step takes `step_s` seconds."""
        if self.budget_s is not None:
            left = max(1.0, (self.budget_s - self.spent_s) / step_s)
            self.advance = (1 - self.progress) / left

    def rate(self, peak: float) -> float:
        """The learning rate of the next step: a short rise, then a cosine."""
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, self.progress))
        return peak * min(1.0, (self.step + 1) / WARM_STEPS) * (LAST_RATE + (1 - LAST_RATE) * cosine)

    def decay(self, most: float) -> float:
        """Of the average of the weights, at the next step."""
        return min(most, (1 + self.step) / (10 + self.step))
