"""Residual layers that several families share.

h ──relu──inner──relu──outer──(+)──>        inner, outer: Linear, or convolutions size × size and 1 × 1
└───────────────────────────────┘
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """h + B relu(A relu(h)) (He et al. 2016, pre-activation), over the last axis; B begins at zero."""

    def __init__(self, units: int, hidden: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(units, hidden), nn.Linear(hidden, units)
        _begin_at_zero(self.outer)

    def forward(self, h: Float[Tensor, "*batch u"]) -> Float[Tensor, "*batch u"]:
        result: Tensor = h + self.outer(self.inner(h.relu()).relu())
        return result


class ConvBlock(nn.Module):
    """As ResidualBlock, over the channels of a map; A looks at size × size positions."""

    def __init__(self, channels: int, hidden: int, size: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, hidden, size, padding=size // 2)
        self.outer = nn.Conv2d(hidden, channels, 1)
        _begin_at_zero(self.outer)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        result: Tensor = h + self.outer(self.inner(h.relu()).relu())
        return result


class ResidualMLP(nn.Module):
    """Linear, blocks, ReLU, Linear."""

    def __init__(self, inputs: int, units: int, blocks: int, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, units)
        self.blocks = nn.ModuleList(ResidualBlock(units, units) for _ in range(blocks))
        self.leave = nn.Linear(units, outputs)

    def forward(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        h = self.enter(x)
        for block in self.blocks:
            h = block(h)
        result: Tensor = self.leave(h.relu())
        return result


def _begin_at_zero(layer: nn.Linear | nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
