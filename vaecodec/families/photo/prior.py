"""The learned factorised prior of z: compressai's EntropyBottleneck, and a mixture of logistics where that is missing.

    z (b, c, h, w), any reals --bits--> (b, c, h, w): bits of the unit interval around each value

Machines with a GPU may lack compressai: there the mixture is trained, and `fit_bottleneck` fits the bottleneck to the
hyperlatents of the training set afterwards. Both are only ever asked for the bits of whole numbers when files are made.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from vaecodec.families.photo.rates import information_bits

COMPONENTS = 3
FIT_STEPS, FIT_RATE = 2000, 1e-2


class Prior(Protocol):
    """What both priors are to the rest of the family."""

    def bits(self, z: Tensor) -> Tensor:
        """Bits of each value, (b, c, h, w)."""
        ...


class LogisticMixture(nn.Module):
    """Three logistics a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, COMPONENTS))
        self.mean = nn.Parameter(torch.linspace(-2, 2, COMPONENTS).repeat(channels, 1))
        self.log_scale = nn.Parameter(torch.full((channels, COMPONENTS), 0.5))

    def bits(self, z: Tensor) -> Tensor:
        """Bits of the unit interval around each value, (b, c, h, w)."""
        z = z.float()[:, :, None]
        shape = (1, -1, COMPONENTS, 1, 1)
        weight, mean = self.weight.softmax(1).view(shape), self.mean.view(shape)
        inverse = torch.exp(-self.log_scale).view(shape)
        above, below = torch.sigmoid((z + 0.5 - mean) * inverse), torch.sigmoid((z - 0.5 - mean) * inverse)
        return information_bits((weight * (above - below)).sum(2))


class Bottleneck(nn.Module):
    """compressai's EntropyBottleneck (Ballé et al. 2018, appendix 6.1) as a Prior."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        from compressai.entropy_models import EntropyBottleneck  # 5 s, and not on every machine that trains

        self.model = EntropyBottleneck(channels)

    def bits(self, z: Tensor) -> Tensor:
        """Bits of the unit interval around each value, (b, c, h, w)."""
        b, c, h, w = z.shape
        likelihood: Tensor = self.model._likelihood(z.float().transpose(0, 1).reshape(c, 1, -1))[0]
        return information_bits(likelihood.reshape(c, b, h, w).transpose(0, 1))


def fit_bottleneck(z: Tensor, *, rng: torch.Generator, steps: int = FIT_STEPS, batch: int = 256) -> Bottleneck:
    """A bottleneck for hyperlatents z (n, c, h, w), whole numbers: the least bits on batches drawn from them."""
    prior = Bottleneck(z.shape[1])
    learned = [p for name, p in prior.named_parameters() if "quantiles" not in name]
    adam = torch.optim.Adam(learned, lr=FIT_RATE)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        chosen = torch.randint(len(z), (min(batch, len(z)),), generator=rng)
        adam.zero_grad()
        prior.bits(z[chosen]).mean().backward()  # type: ignore[no-untyped-call]
        adam.step()
        slower.step()
    return prior
