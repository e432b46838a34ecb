"""What minibatches say about the aggregate posterior q(y) = mean of q(y|x) over the training images.

y (b, n), posterior of the same images ──pairwise──> log q(y_i|x_j) (b, b, n) ──log_marginal──> log q(y_i)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.layers.base import Posterior
from vaecodec.layers.latent_priors import LatentPrior

KERNEL_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of the sum of kernels, in variances of N(0, 1)


def pairwise(posterior: Posterior, y: Float[Tensor, "a n"]) -> Float[Tensor, "a b n"]:
    """log q(y_i|x_j) of each latent."""
    return posterior.log_density(y[:, None])


def log_marginal(pairs: Float[Tensor, "b b *rest"], population: int) -> Float[Tensor, " b *rest"]:
    """log q(y_i) from log q(y_i|x_j) within a batch (Esmaeili et al. 2019, appendix).

    Of the whole training set of `population` images the sample's own counts once, and the rest of the batch stands for
    all others: q(y_i) ≈ 1/N q(y_i|x_i) + (N-1)/N · mean over j ≠ i of q(y_i|x_j).
    """
    batch = len(pairs)
    others = (population - 1) / (population * max(batch - 1, 1))
    weights = torch.full((batch, batch), math.log(others) if others else -math.inf, device=pairs.device)
    weights.fill_diagonal_(-math.log(population))
    return (pairs + weights.view(batch, batch, *[1] * (pairs.ndim - 2))).logsumexp(dim=1)


def dimension_wise_mmd(x: Float[Tensor, "b n"], y: Float[Tensor, "b n"]) -> Tensor:
    """Σ over the latents of MMD²(x_d, y_d), unbiased, with inverse multiquadric kernels c / (c + distance²).

    Mathieu et al. 2019, section 6.3; Gretton et al. 2012, lemma 6. x, y: samples of q(y) and of p(y), equally many.
    """
    batch = len(x)
    first, second = torch.triu_indices(batch, batch, 1, device=x.device)
    within = _kernel(x[first] - x[second]) + _kernel(y[first] - y[second])
    across = _kernel(x[:, None] - y)
    return 2 * within / (batch * (batch - 1)) - 2 * across / batch**2


def inclusive_kl_nats(posterior: Posterior, prior: LatentPrior, rng: torch.Generator) -> Tensor:
    """KL(p(y) ‖ q(y)) from samples of p, with q(y) the mean of the batch's posteriors."""
    batch = len(posterior.mean)
    y = prior.sample(batch, rng)
    log_q = pairwise(posterior, y).sum(dim=2).logsumexp(dim=1) - math.log(batch)
    return (prior.log_density(y).detach() - log_q).mean()


def _kernel(difference: Tensor) -> Tensor:
    """Sum over all pairs, latents and scales."""
    squared = difference.square()
    return torch.stack([(2 * scale / (2 * scale + squared)).sum() for scale in KERNEL_SCALES]).sum()
