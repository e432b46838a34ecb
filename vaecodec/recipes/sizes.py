"""ModelConfig: the sizes of a convolutional network, refused at once where they do not fit together.

The families of vaecodec.families.conv and hfvae are convolutional; the others have records of sizes of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.errors import ConfigError

MAX_LATENTS = 1024


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Geometry and sizes.

    height, width: pixels; both are multiples of patch · 2^len(channels). latents: how many. channels: width of each
    stride-2 convolution, first to last. hidden: width of the fully connected layer. patch: space-to-depth factor in
    front of the first convolution. Raises ConfigError.
    """

    height: int
    width: int
    latents: int = 32
    channels: tuple[int, ...] = (32, 64)
    hidden: int = 256
    patch: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.latents <= MAX_LATENTS:
            raise ConfigError(f"latents: expected 1..{MAX_LATENTS}, found {self.latents}")
        if not self.channels or min(*self.channels, self.hidden, self.patch) < 1:
            raise ConfigError(
                f"channels {self.channels}, hidden {self.hidden}, patch {self.patch}: all must be positive"
            )
        if not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise ConfigError(f"{self.height}x{self.width} pixels: both must be in 1..{MAX_SIDE}")
        if self.height % self.reduction or self.width % self.reduction:
            raise ConfigError(
                f"{self.height}x{self.width} pixels: both must be multiples of {self.reduction}, patch · 2^convolutions"
            )

    @property
    def reduction(self) -> int:
        """How many pixels, in each direction, become one position of the last feature map."""
        return self.patch << len(self.channels)

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the last feature map."""
        return self.channels[-1], self.height // self.reduction, self.width // self.reduction
