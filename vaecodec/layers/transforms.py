"""The paper's transforms: a convolutional encoder with one fully connected layer, and its mirror.

image (h, w) ─patch─ conv 4×4/2 ─ReLU─ … ─ fully connected ─ReLU─ two heads: mean, log-variance (n)
logits (h, w) ─patch─ transposed conv 4×4/2 ─ReLU─ … ─ fully connected ─ReLU─ fully connected ─ReLU─ y (n)
"""

from __future__ import annotations

import itertools
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.base import LOG_VARIANCE_RANGE, Posterior
from vaecodec.layers.sizes import ConvSizes


class ConvAnalysis(nn.Module):
    """The encoder (paper, sections 3.2 and 4.2)."""

    def __init__(self, config: ConvSizes) -> None:
        super().__init__()
        widths = [config.patch**2, *config.channels]
        layers: list[nn.Module] = [nn.PixelUnshuffle(config.patch)]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        channels, height, width = config.feature_shape
        layers += [nn.Flatten(), nn.Linear(channels * height * width, config.hidden), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.mean = nn.Linear(config.hidden, config.latents)
        self.log_variance = nn.Linear(config.hidden, config.latents)

    def forward(self, x: Float[Tensor, "b h w"]) -> Posterior:
        features = self.trunk(x[:, None] - 0.5)
        return Posterior(self.mean(features), self.log_variance(features).clamp(*LOG_VARIANCE_RANGE))


class ConvSynthesis(nn.Module):
    """The decoder (paper, sections 3.4 and 4.4); its sigmoid belongs to the likelihood.

    Each layer is a linear map followed by a ReLU, the last one excepted: `vaecodec.layers.exact.dense` turns them into
    integer-exact ones one by one.
    """

    def __init__(self, config: ConvSizes) -> None:
        super().__init__()
        self.config = config
        channels, height, width = config.feature_shape
        widths = [*reversed(config.channels), config.patch**2]
        self.dense = nn.ModuleList(
            [nn.Linear(config.latents, config.hidden), nn.Linear(config.hidden, channels * height * width)]
        )
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in itertools.pairwise(widths)
        )
        self.unpatch = nn.PixelShuffle(config.patch)

    @property
    def linear_layers(self) -> tuple[nn.Linear, nn.Linear]:
        """From the latents to the hidden layer, and from there to the first feature map."""
        first, second = cast("list[nn.Linear]", list(self.dense))
        return first, second

    @property
    def transposed_layers(self) -> tuple[nn.ConvTranspose2d, ...]:
        """The transposed convolutions, first to last."""
        return tuple(cast("list[nn.ConvTranspose2d]", list(self.upsample)))

    def forward(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        for layer in self.dense:
            y = layer(y).relu()
        y = y.view(-1, *self.config.feature_shape)
        for layer in self.upsample[:-1]:
            y = layer(y).relu()
        logits: Tensor = self.unpatch(self.upsample[-1](y))
        return logits[:, 0]
