"""GridMap: latents to a feature map, each position with weights of its own: for pictures that stand in the middle.

y (b, n) ──MLP──> (b, h/2 · w/2 · c) ──ReLU──> (b, c, h/2, w/2)
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.layers.base import LATENT_SCALE
from vaecodec.layers.residual import ResidualMLP


class GridMap(nn.Module):
    """Latents to a feature map, each position with weights of its own."""

    def __init__(self, config: LosslessConfig) -> None:
        super().__init__()
        height, width = config.plane
        self.shape = (height, width, config.map_channels)
        self.layers = ResidualMLP(
            config.latents, config.map_units, config.map_blocks, height * width * config.map_channels
        )

    def forward(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b c h w"]:
        feature_map: Tensor = self.layers(y / LATENT_SCALE).relu()
        return feature_map.view(-1, *self.shape).permute(0, 3, 1, 2)  # channels last in memory
