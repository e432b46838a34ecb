"""What the trained model says before anything is quantised: its bound and its latents.

run folder --trained_model--> Trainable --measure_float(test images)--> FloatPoint
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.measuring.images import Images
from vaecodec.families.trainables import make_trainable
from vaecodec.layers.base import Posterior
from vaecodec.recipes.batches import NOISE_STREAM, as_images, stream_seed
from vaecodec.recipes.objective import Trainable
from vaecodec.training.checkpoint import load_matching
from vaecodec.training.run_folder import read_run_config

BATCH = 500
ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2: of a latent's mean over the images

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FloatPoint:
    """Means over a set of images, nats an image, one sample of each posterior, the family's own prior.

    active_latents: whose mean varies by more than 0.01. mean_latent, mean_sigma: mean of |μ| and of σ (readings of the
    paper's figure 8). hoyer: sparsity of the means, 0 to 1 (Mathieu et al. 2019, section 6.3).
    """

    reconstruction_nats: float
    kl_nats: float
    active_latents: int
    latents: int
    mean_latent: float
    mean_sigma: float
    hoyer: float

    @property
    def elbo_nats(self) -> float:
        """The evidence lower bound, up to the likelihood's constant."""
        return -(self.reconstruction_nats + self.kl_nats)

    @property
    def kl_bits(self) -> float:
        """KL in bits."""
        return self.kl_nats / math.log(2)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "elbo_nats": self.elbo_nats, "kl_bits": self.kl_bits}


def trained_model(folder: Path) -> Trainable:
    """The model of a run folder, as training left it. Raises CheckpointError."""
    config = read_run_config(folder)
    trainable = make_trainable(config)
    trainable.load_state_dict(load_matching(folder, config).model)
    assert isinstance(trainable, Trainable)
    return trainable.eval()


def measure_float(trainable: Trainable, images: Images) -> FloatPoint:
    """The point of a set of images, uint8 (n, h, w)."""
    reconstruction, kl = bound(trainable, images)
    mean, sigma = gaussians(trainable, images)
    return FloatPoint(
        reconstruction_nats=reconstruction,
        kl_nats=kl,
        active_latents=int((mean.var(axis=0) > ACTIVE_VARIANCE).sum()),
        latents=mean.shape[1],
        mean_latent=float(np.abs(mean).mean()),
        mean_sigma=float(sigma.mean()),
        hoyer=hoyer(mean),
    )


@torch.no_grad()
def bound(trainable: Trainable, images: Images, *, seed: int = 0) -> tuple[float, float]:
    """(reconstruction, KL), nats an image, as validation counts them in training; on the device of the model."""
    device = next(trainable.parameters()).device
    rng = torch.Generator(device).manual_seed(stream_seed(NOISE_STREAM, seed))
    totals = np.zeros(2)
    for start in range(0, len(images), BATCH):
        x = as_images(images[start : start + BATCH]).to(device)
        losses = trainable(x, trainable.config.beta, rng)
        totals += len(x) * np.array([float(losses.distortion_nats), float(losses.rate_nats)])
    reconstruction, kl = (float(total) for total in totals / len(images))
    return reconstruction, kl


@torch.no_grad()
def gaussians(trainable: Trainable, images: Images) -> tuple[Float32, Float32]:
    """Mean and σ of the continuous latents, (N, n) each."""
    parts = [trainable.model.analyse(as_images(images[k : k + BATCH])) for k in range(0, len(images), BATCH)]
    mean, sigma = (torch.cat(values).numpy() for values in zip(*(_gaussian(part) for part in parts), strict=True))
    return mean, sigma


def hoyer(latents: Float32) -> float:
    """Mean over the images of (√n − ‖y‖₁/‖y‖₂) / (√n − 1), each latent divided by its own deviation first."""
    deviation = latents.std(axis=0)
    scaled = latents[:, deviation > 0] / deviation[deviation > 0]
    n = scaled.shape[1]
    if n < 2:
        return 0.0
    norms = np.linalg.norm(scaled, axis=1)
    ratio = np.abs(scaled).sum(axis=1) / np.maximum(norms, np.finfo(np.float32).tiny)
    return float((np.sqrt(n) - ratio.mean()) / (np.sqrt(n) - 1))


def _gaussian(posterior: Posterior) -> tuple[torch.Tensor, torch.Tensor]:
    return posterior.mean, (0.5 * posterior.log_variance).exp()
