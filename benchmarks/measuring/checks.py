"""What is concluded from measured points: β against rate and distortion, and the model's bytes shared out. Pure.

β larger must mean fewer bytes and a larger distortion, for every neighbouring pair of the sweep. A tie is allowed only
where neither model codes a latent: then both files hold no payload and there is nothing left to trade.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

AMORTISED_OVER = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class BetaPoint:
    """One β of a sweep: mean file bytes, distortion of the objective in nats an image, MSE, latents that are coded."""

    beta: float
    file_bytes: float
    distortion_nats: float
    mse: float
    coded_latents: int


@dataclass(frozen=True, slots=True)
class PairCheck:
    """Two neighbouring β, the smaller first. tie: neither codes a latent, so nothing is asked of them."""

    betas: tuple[float, float]
    file_bytes: tuple[float, float]
    distortion_nats: tuple[float, float]
    mse: tuple[float, float]
    fewer_bytes: bool
    larger_distortion: bool
    larger_mse: bool
    tie: bool

    @property
    def holds(self) -> bool:
        """Fewer bytes and larger distortion, by the objective's own measure and by MSE; or a permitted tie."""
        return self.tie or (self.fewer_bytes and self.larger_distortion and self.larger_mse)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "holds": self.holds}


def check_pairs(points: Sequence[BetaPoint]) -> list[PairCheck]:
    """Compare each β with the next larger one; the order of `points` does not matter."""
    checks = []
    for low, high in pairwise(sorted(points, key=lambda point: point.beta)):
        checks.append(
            PairCheck(
                betas=(low.beta, high.beta),
                file_bytes=(low.file_bytes, high.file_bytes),
                distortion_nats=(low.distortion_nats, high.distortion_nats),
                mse=(low.mse, high.mse),
                fewer_bytes=high.file_bytes < low.file_bytes,
                larger_distortion=high.distortion_nats > low.distortion_nats,
                larger_mse=high.mse > low.mse,
                tie=low.coded_latents == 0 and high.coded_latents == 0,
            )
        )
    return checks


def amortised_bytes(file_bytes: float, model_bytes: int) -> dict[str, float]:
    """Bytes an image with the model file shared out over 1,000, 10,000 and 100,000 images, keyed by that number."""
    return {str(images): file_bytes + model_bytes / images for images in AMORTISED_OVER}
