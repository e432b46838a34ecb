"""From posteriors to symbols: which latents are coded, with which steps, centers and tables.

means, σ (N, latents) ──steps · multiplier──> symbols (N, n) ──> tables: learned prior, or counts where better
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from vaecodec.arrays import Symbols
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities, tables_from_histogram
from vaecodec.layers.base import VAE
from vaecodec.layers.priors import FactorizedPrior
from vaecodec.recipes.batches import Batches, as_images
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.descent import descend, fine_tune

COLLAPSED_BITS = 0.005  # a latent whose symbols carry less than this, over the training set, is not coded
COUNTS_WIN = 0.995  # smoothed counts replace the learned prior where their bits are below this share of its
REACH_OF_SYMBOLS = 1.5  # symbols up to so many times the largest of the training set keep their meaning
FIT_STEPS, FIT_BATCH, FIT_LEARNING_RATE = 400, 4096, 0.02


@dataclass(frozen=True, slots=True)
class Latents:
    """What is quantised of every image of a set, and its σ: float32 (N, latents).

    σ is 0 where a latent is a whole number by itself (vaecodec.layers.base.Posterior.code).
    """

    mean: npt.NDArray[np.float32]
    sigma: npt.NDArray[np.float32]


@torch.no_grad()
def posteriors(model: VAE, images: npt.NDArray[np.uint8]) -> Latents:
    """Analyse a whole set of images (N, h, w)."""
    parts = [model.analyse(as_images(images[k : k + 500])) for k in range(0, len(images), 500)]
    return Latents(
        torch.cat([part.code() for part in parts]).numpy(), torch.cat([part.spread() for part in parts]).numpy()
    )


def make_quantizer(latents: Latents, multiplier: float | None) -> Quantizer:
    """One step for each latent: multiplier × root mean square of σ; 1 where the multiplier is None (uniform noise).

    The center is the median, so that the commonest value falls into the middle of a bin. A latent that is a whole
    number by itself stays what it is.
    """
    whole = ~latents.sigma.any(axis=0)
    center = np.where(whole, 0, np.median(latents.mean, axis=0)).astype(np.float32)
    if multiplier is None:
        return Quantizer(center, np.ones_like(center))
    rms = np.sqrt(np.square(latents.sigma, dtype=np.float64).mean(axis=0))
    return Quantizer(center, np.where(whole, 1, multiplier * rms).astype(np.float32))


def carrying(symbols: Symbols) -> npt.NDArray[np.int64]:
    """Numbers of the latents whose symbols carry information."""
    return np.flatnonzero([entropy_bits(column) >= COLLAPSED_BITS for column in symbols.T])


def carrying_or_first(symbols: Symbols) -> npt.NDArray[np.int64]:
    """As carrying(), but the first latent where none does: a model file has at least one."""
    found = carrying(symbols)
    return found if len(found) else np.zeros(1, np.int64)


def entropy_bits(column: npt.NDArray[np.int32]) -> float:
    """Entropy of the observed symbols of one latent (N,)."""
    p = np.unique(column, return_counts=True)[1] / len(column)
    return float(-(p * np.log2(p)).sum())


def limit_of(symbols: Symbols, reach: float = REACH_OF_SYMBOLS) -> Int[Tensor, " n"]:
    """What symbols (N, n) of the training images say how far: larger ones an exact twin clamps. At least 1."""
    return torch.from_numpy(np.ceil(reach * np.abs(symbols).max(axis=0, initial=1)).astype(np.int64))


def collapsed_latents(symbols: Symbols) -> npt.NDArray[np.bool_]:
    """Of symbols (N, n), which latents carry nothing: (n,)."""
    collapsed = np.ones(symbols.shape[1], np.bool_)
    collapsed[carrying(symbols)] = False
    return collapsed


def as_floats(symbols: Symbols) -> Float[Tensor, "N n"]:
    """For a network."""
    return torch.from_numpy(symbols.astype(np.float32))


class CodedBatches:
    """Batches of training images (N, h, w) and of their symbols (N, n): what exact twins are fine-tuned on."""

    def __init__(self, symbols: Symbols, images: npt.NDArray[np.uint8], batch_size: int, seed: int) -> None:
        self._symbols, self._images = symbols, images
        self._order = Batches(images, batch_size, seed)

    def __getitem__(self, step: int) -> tuple[Float[Tensor, "b n"], UInt8[Tensor, "b h w"]]:
        """(symbols, pixels) of a step."""
        chosen = self._order.chosen(step)
        return as_floats(self._symbols[chosen]), torch.from_numpy(self._images[chosen])


def fine_tune_on_symbols(
    exact: nn.Module,
    nats_of: Callable[[Float[Tensor, "b n"], UInt8[Tensor, "b h w"]], Tensor],
    config: TrainingConfig,
    symbols: Symbols,
    images: npt.NDArray[np.uint8],
) -> None:
    """Train the integer layers of an exact twin on what they will see: the symbols (N, n) of training images (N, h, w).

    nats_of: what is minimised, a mean over a batch, of its symbols and pixels.
    """
    batches = CodedBatches(symbols, images, config.optimiser.batch_size, config.seed)
    fine_tune(exact, lambda step: nats_of(*batches[step]), config.finish)


@dataclass(frozen=True, slots=True)
class FittedTables:
    """tables, which of the two ways made them, and the bits of a validation image under both."""

    tables: CodingTables
    made_by: str
    learned_bits: float
    counts_bits: float


def fit_tables(symbols: Symbols, validation: Symbols, rng: torch.Generator) -> FittedTables:
    """Tables of the symbols (N, n): the learned prior's, or smoothed counts where they are > 0.5 % better."""
    counted = tables_from_histogram(symbols)
    if counted.n == 0:
        return FittedTables(counted, "no latent carries information", 0.0, 0.0)
    learned = CodingTables(counted.offsets, _learned_counts(symbols, counted, rng), counted.coded)
    bits = [float(tables.information_bits(validation).mean()) for tables in (learned, counted)]
    if bits[1] < COUNTS_WIN * bits[0]:
        return FittedTables(counted, "smoothed counts", *bits)
    return FittedTables(learned, "learned prior", *bits)


def _learned_counts(symbols: Symbols, window: CodingTables, rng: torch.Generator) -> npt.NDArray[np.uint32]:
    """Counts of the learned density over the window of `window`, the escape getting the rest."""
    prior = _fitted_prior(as_floats(symbols), rng)
    width = window.alphabet - 1
    low, high = int(window.offsets.min()), int(window.offsets.max()) + width - 1
    every = prior.probabilities(low, high).numpy()
    rows = [every[i, first - low : first - low + width] for i, first in enumerate(window.offsets)]
    inside = np.stack(rows)
    return counts_from_probabilities(np.column_stack([inside, np.maximum(1 - inside.sum(axis=1), 0)]))


def _fitted_prior(symbols: Float[Tensor, "N n"], rng: torch.Generator) -> FactorizedPrior:
    """A learned prior fitted to symbols, from their median and spread on."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=rng)))
        prior = FactorizedPrior(symbols.shape[1])
    prior.start_from(symbols.median(dim=0).values, symbols.std(dim=0))

    def nats_of(_: int) -> Tensor:
        chosen = torch.randint(len(symbols), (min(FIT_BATCH, len(symbols)),), generator=rng)
        return prior.rate_nats(symbols[chosen]).sum(dim=1).mean()

    descend(prior, nats_of, steps=FIT_STEPS, learning_rate=FIT_LEARNING_RATE)
    return prior.eval()
