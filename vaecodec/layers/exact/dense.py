"""Integer-exact layers in torch: trained with straight-through rounding, exported to vaecodec.exact.network.

    float layer ──from_float──> ExactDense: integers in, integers out, float32 carries both
    y_int = clamp(round((W_int · x_int + b_int) · 2^-shift), low, high)      W_int = round(weight · 2^shift)

`weight` is kept in units of the output, so that learning rates of the float layer carry over. What forward() computes
in training is, to the bit, what the numpy evaluator computes from the exported integers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.exact.ranges import EXACT_LIMIT

ACTIVATION_TOP = 255
WEIGHT_LIMIT = 127  # int8 in the file
FIRST_WEIGHT_LIMIT = 32767  # symbols are small: their weights may be wide (int16), the bound decides
REACH_MARGIN = 0.9  # weights grow in fine-tuning; the proof at export is what counts


def round_through(x: Tensor) -> Tensor:
    """Round half to even; the gradient passes as if nothing had happened (Bengio et al. 2013, straight-through)."""
    return x + (x.round() - x).detach()


class ExactDense(nn.Module):
    """A Dense and its Rescale. Input (…, in) integers with |x| ≤ reach, output (…, out) integers in low..high."""

    shift: Tensor
    reach: Tensor

    def __init__(
        self,
        weight: Float[Tensor, "out in"],
        bias: Float[Tensor, " out"],
        reach: Float[Tensor, " in"],
        *,
        low: int,
        high: int,
        weight_limit: int = WEIGHT_LIMIT,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.bias = nn.Parameter(bias.detach().clone())
        self.low, self.high, self.weight_limit = low, high, weight_limit
        magnitude = weight.detach().abs()
        by_weight = weight_limit / F.pad(magnitude, (0, 1)).amax(dim=1).clamp_min(
            1e-12
        )  # padded: there may be no input
        self.register_buffer("reach", reach.detach().clone(), persistent=False)
        shift = torch.minimum(by_weight, self._room()).log2().floor().clamp(0, 24)
        self.register_buffer("shift", shift)

    def _room(self) -> Float[Tensor, " out"]:
        """By what each channel's weights may be multiplied."""
        most = self.weight.detach().abs() @ self.reach + self.bias.detach().abs()
        return REACH_MARGIN * EXACT_LIMIT / most.clamp_min(1e-12)

    @torch.no_grad()
    def settle(self) -> None:
        """Coarser weights where training has carried a channel over the bound; the other channels stay as they are."""
        weight, bias = self.integers()
        over = weight.abs() @ self.reach + bias.abs() >= EXACT_LIMIT
        coarser = torch.minimum(self.shift, self._room().log2().floor().clamp(0, 24))
        self.shift.copy_(torch.where(over, coarser, self.shift))

    def integers(self) -> tuple[Float[Tensor, "out in"], Float[Tensor, " out"]]:
        """(W_int, b_int) with gradients passing through."""
        scale = self.shift.exp2()
        weight = (self.weight * scale[:, None]).clamp(-self.weight_limit, self.weight_limit)
        return round_through(weight), round_through(self.bias * scale)

    def forward(self, x: Float[Tensor, "*batch in"]) -> Float[Tensor, "*batch out"]:
        weight, bias = self.integers()
        accumulated = F.linear(x, weight) + bias
        return round_through(accumulated * (-self.shift).exp2()).clamp(self.low, self.high)


def settle(network: nn.Module) -> None:
    """Bring every exact layer of a network back within the bound; of one that is within it, nothing changes."""
    for layer in network.modules():
        if isinstance(layer, ExactDense):
            layer.settle()


def patches(x: Float[Tensor, "b h w c"], size: int, pad: int) -> Tensor:
    """As vaecodec.exact.operations.Patches: each position's window of size × size positions, zeros beyond the map."""
    padded = F.pad(x, (0, 0, pad, pad, pad, pad))
    height, width = padded.shape[1] - size + 1, padded.shape[2] - size + 1
    return torch.cat([padded[:, i : i + height, j : j + width] for i in range(size) for j in range(size)], dim=-1)


def shuffle(x: Float[Tensor, "b h w c"], factor: int, crop: int) -> Tensor:
    """As vaecodec.exact.operations.Shuffle: depth to space by `factor`, then `crop` pixels cut from each side."""
    b, h, w, c = x.shape
    split = x.reshape(b, h, w, factor, factor, c // factor**2).permute(0, 1, 3, 2, 4, 5)
    image = split.reshape(b, h * factor, w * factor, -1)
    return image[:, crop : h * factor - crop, crop : w * factor - crop]
