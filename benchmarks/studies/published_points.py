"""What Dubois et al. 2019 (disentangling-vae) published of VAE and β-VAE, and for how many steps they trained."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedPoint:
    """Nats an image, means over the training set."""

    reconstruction_nats: float
    kl_nats: float


BETAS = (1.0, 4.0)
REFERENCE_STEPS = {"mnist": 375_000, "dsprites": 345_000}
PUBLISHED = {
    ("mnist", 1.0): PublishedPoint(118.8, 19.69),
    ("mnist", 4.0): PublishedPoint(138.8, 10.99),
    ("dsprites", 1.0): PublishedPoint(18.0, 25.40),
    ("dsprites", 4.0): PublishedPoint(35.6, 15.35),
}
