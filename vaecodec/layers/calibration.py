"""Calibration: how large a network's values get on a sample, which decides the units of its integer-exact twin."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

QUANTILE = 0.9995  # activations beyond it are clamped
SMALLEST_SHARE = 0.02  # of the largest channel's top: a channel that is nearly always zero must not get a tiny unit


@torch.no_grad()
def tops_of_channels(x: Float[Tensor, "*batch c"]) -> Float[Tensor, " c"]:
    """For each channel the value that all but one in 2,000 stay below; no channel's is much below the largest."""
    rows = x.reshape(-1, x.shape[-1])
    rank = max(1, int(len(rows) * QUANTILE))
    return _floored(rows.kthvalue(rank, dim=0).values)


@torch.no_grad()
def reach_of_channels(x: Float[Tensor, "*batch c"]) -> Float[Tensor, " c"]:
    """The largest magnitude of each channel, none much below the largest of all."""
    return _floored(x.reshape(-1, x.shape[-1]).abs().amax(dim=0))


@torch.no_grad()
def top_of_all(x: Float[Tensor, "*any"]) -> float:
    """The value that all but one number in 2,000 stay below, over all channels together."""
    values = x.flatten()
    rank = max(1, int(len(values) * QUANTILE))
    return max(float(values.kthvalue(rank).values), 1e-6)


def _floored(tops: Float[Tensor, " c"]) -> Float[Tensor, " c"]:
    return tops.clamp_min(max(SMALLEST_SHARE * float(tops.max()), 1e-6))
