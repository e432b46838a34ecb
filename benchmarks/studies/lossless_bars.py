"""What exact images may take at most: each bar beside what was measured.

MNIST      archive ≤ 1.17 bits per pixel, single files ≤ 125 bytes, latents ≥ 40 bits, ≥ 300 images/s both ways
dSprites   archive ≤ 6.5 bytes an image, single files ≤ 16 bytes
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LEAST_IMAGES_PER_S = 300.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bound, and whether it is the least or the most that the measured value may be."""

    name: str
    measured: float
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the measured value keeps to the bound."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "holds": self.holds}


def lossless_bars(data: str, results: Mapping[str, Any]) -> list[Bar]:
    """The bars of a data set, from the results of benchmarks.lossless; none for other data."""
    files, archive = results["files"], results["archive"]
    if data == "mnist":
        return [
            Bar("archive, bits per pixel", archive["bits_per_pixel"], 1.17),
            Bar("single files, bytes", files["bytes"], 125.0),
            Bar("bits in the latents", results["parts"]["latents"], 40.0, at_least=True),
            Bar("compressed images/s", files["compressed_images_per_s"], LEAST_IMAGES_PER_S, at_least=True),
            Bar("decompressed images/s", files["decompressed_images_per_s"], LEAST_IMAGES_PER_S, at_least=True),
        ]
    if data == "dsprites":
        return [
            Bar("archive, bytes an image", archive["bytes_per_image"], 6.5),
            Bar("single files, bytes", files["bytes"], 16.0),
        ]
    return []
