"""Bits of symbols, and the choice of symbols.

A symbol s of a latent v (its value less its mean, in steps) is an integer. What the entropy model learns from is the
rounded symbol itself. Uniform noise in its place costs 0.18 bits a pixel where most symbols are zero (measured on the
linear codec, docs/decisions/photographs.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vaecodec.photo.gaussians import GREATEST_SCALE, LEAST_SCALE

FLOOR = 1e-9  # of a probability: information stays finite, its gradient stays


def information_bits(probability: Tensor) -> Tensor:
    """-log2 p, elementwise; a probability below the floor still has the gradient of its own value."""
    return -torch.log2(probability + (probability.clamp_min(FLOOR) - probability).detach())


class _AtLeast(torch.autograd.Function):
    """A lower bound. The gradient passes where it would raise the value, so nothing is lost below the bound."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        """max(x, bound)."""
        ctx.save_for_backward(x >= bound)
        return x.clamp_min(bound)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        """The gradient, but for what would push a value further below the bound."""
        (inside,) = ctx.saved_tensors
        return grads[0] * (inside | (grads[0] < 0)), None


def gaussian_bits(v: Tensor, log_scale: Tensor) -> Tensor:
    """Bits of the unit interval around v under a Gaussian of mean 0 and scale e^log_scale, elementwise."""
    bounded: Tensor = _AtLeast.apply(log_scale, math.log(LEAST_SCALE))
    inverse = torch.exp(-bounded.clamp_max(math.log(GREATEST_SCALE))) * math.sqrt(0.5)
    far = v.abs()
    return information_bits(0.5 * (torch.erfc((far - 0.5) * inverse) - torch.erfc((far + 0.5) * inverse)))


def straight_through(value: Tensor, rounded: Tensor) -> Tensor:
    """`rounded`, with the gradient of `value`."""
    return value + (rounded - value).detach()


def rated_bits(value: Tensor, rounded: Tensor, bits_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Bits of `rounded`; to `value` goes the gradient that noise in place of rounding would give on average.

    The mean of d/dv bits(v + u) over u in (-½, ½) is bits(v + ½) - bits(v - ½), without the variance of u.
    """
    bits = bits_of(rounded.detach())
    if not (torch.is_grad_enabled() and value.requires_grad):
        return bits
    with torch.no_grad():
        slope = bits_of(value + 0.5) - bits_of(value - 0.5)
    return bits + (value - value.detach()) * slope


@torch.no_grad()
def cheapest_symbols(v: Tensor, log_scale: Tensor, weight: Tensor) -> Tensor:
    """The nearest symbol or the next one toward zero, whichever makes bits + weight · error² least.

    v: latents less their means, in steps. weight: bits that an error of one step is worth, λ 255² step² / 3 where three
    channels of pixels share an orthonormal transform. Errors are those of the symbols alone, not of later contexts.
    """
    near = torch.round(v)
    lower = near - torch.sign(near)
    saved_bits = gaussian_bits(near, log_scale) - gaussian_bits(lower, log_scale)
    added_error = (v - lower).square() - (v - near).square()
    return torch.where(saved_bits > weight * added_error, lower, near)
