"""The discriminator's turn in a step of adversarial training, with its own optimiser."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor

from vaecodec.families.conv.objective_gan import AdversarialTrainable, Contest

MOMENTS = (0.5, 0.999)  # Radford et al. 2016: less momentum than Adam's own keeps the two from chasing each other


class Rival:
    """Learns to tell images from what the model makes of them."""

    def __init__(self, trainable: AdversarialTrainable, accelerator: Accelerator) -> None:
        contest = Contest(trainable.discriminator)
        self.highest_learning_rate = trainable.config.discriminator_learning_rate
        optimiser = torch.optim.Adam(contest.parameters(), lr=self.highest_learning_rate, betas=MOMENTS)
        self._accelerator = accelerator
        self._contest, self.optimiser = accelerator.prepare(contest, optimiser)

    def step(self, x: Float[Tensor, "b h w"], decoded: Float[Tensor, "b h w"], learning_rate: float) -> None:
        """One update. x, decoded: the batch's images and what the model made of them, without gradients."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        with self._accelerator.autocast():
            loss = self._contest(x, decoded)
        self.optimiser.zero_grad()
        self._accelerator.backward(loss)
        self.optimiser.step()
