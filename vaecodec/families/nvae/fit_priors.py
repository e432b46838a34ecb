"""The networks of an nvae's conditional priors, fitted to the symbols of the training images.

symbols (N, n) ──for each group but the first──> PriorNetwork ─fit─> ExactPrior ─fine-tune─> what is exported
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.arrays import Symbols
from vaecodec.data.image_set import ImageSet
from vaecodec.families.nvae.model import NVAE
from vaecodec.families.nvae.prior_networks import ExactPrior, PriorNetwork
from vaecodec.recipes.batches import all_over, as_images, stream_seed
from vaecodec.recipes.descent import descend
from vaecodec.recipes.latents import as_floats

CALIBRATION_IMAGES = 2000
BATCH, LEARNING_RATE = 256, 2e-3
FINE_TUNING_SHARE, FINE_TUNING_LEARNING_RATE = 0.25, 3e-4  # of a float network's steps: as whole numbers
FITTING_STREAM = 13  # of random numbers, beside those of vaecodec.recipes.batches
CHUNK = 500


@dataclass(frozen=True, slots=True)
class FittedPrior:
    """Of one group."""

    network: PriorNetwork
    exact: ExactPrior


@dataclass(frozen=True, slots=True)
class PriorBits:
    """Bits of a validation image's symbols, each group's: by the trunk, the float networks, and what is stored."""

    trunk: tuple[float, ...]
    networks: tuple[float, ...]
    stored: tuple[float, ...]


def fit_priors(
    model: NVAE, limit: Float[Tensor, " n"], symbols: Symbols, *, steps: int, seed: int
) -> list[FittedPrior]:
    """A float network and its exact twin for each group but the first; symbols (N, n): of the training images."""
    sizes, fitted = model.config.group_sizes, []
    every = as_floats(symbols)
    for group in range(1, len(sizes)):
        start, end = sum(sizes[:group]), sum(sizes[: group + 1])
        before, own = every[:, :start].contiguous(), every[:, start:end].contiguous()
        with _seeded(seed, group) as rng:
            network = PriorNetwork(model.config, start, sizes[group])
            _fit(network, before, own, steps, LEARNING_RATE, rng)
            exact = ExactPrior(network, limit[:start], before[all_over(len(before), CALIBRATION_IMAGES)])
            _fit(exact, before, own, round(FINE_TUNING_SHARE * steps), FINE_TUNING_LEARNING_RATE, rng)
        fitted.append(FittedPrior(network, exact))
    return fitted


@contextmanager
def _seeded(seed: int, group: int) -> Iterator[torch.Generator]:
    """A generator of a group's own; fresh weights follow from the same seed."""
    own = stream_seed(FITTING_STREAM, seed, group)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(own)
        yield torch.Generator().manual_seed(own)


def _fit(
    network: PriorNetwork | ExactPrior, before: Tensor, own: Tensor, steps: int, rate: float, rng: torch.Generator
) -> None:
    def nats_of(_: int) -> Tensor:
        chosen = torch.randint(len(own), (min(BATCH, len(own)),), generator=rng)
        return network.nats(before[chosen], own[chosen]).sum(dim=1).mean()

    descend(network, nats_of, steps=steps, learning_rate=rate)


@torch.no_grad()
def prior_bits(
    model: NVAE,
    fitted: Sequence[FittedPrior],
    validation: ImageSet,
    symbols: Symbols,
    stored: npt.NDArray[np.float64],
) -> dict[str, object]:
    """PriorBits of validation images with symbols (N, n), as JSON; stored (n,): mean bits under what is stored."""
    sizes = model.config.group_sizes
    every, starts = as_floats(symbols), np.cumsum([0, *sizes])
    first = float(stored[: sizes[0]].sum())
    networks = [first * math.log(2)]
    for k, each in enumerate(fitted, start=1):
        own = every[:, starts[k] : starts[k + 1]]
        networks.append(float(each.network.nats(every[:, : starts[k]], own).sum(dim=1).mean()))
    nats = torch.zeros(sum(sizes))
    for k in range(0, len(validation), CHUNK):
        x = as_images(validation.images[k : k + CHUNK])
        nats += model.walk(x, torch.round).rate_nats.sum(dim=0) / len(validation)
    bits = PriorBits(
        trunk=tuple(float(part.sum()) / math.log(2) for part in torch.split(nats, list(sizes))),
        networks=tuple(each / math.log(2) for each in networks),
        stored=tuple(float(part.sum()) for part in np.split(stored, starts[1:-1])),
    )
    return {name: list(values) for name, values in asdict(bits).items()}
