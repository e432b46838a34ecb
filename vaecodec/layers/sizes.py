"""What layers ask of a network's sizes: each family's own record of sizes answers. Read without torch."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

MAX_MOMENTS = 12  # higher moments of a picture of 256 pixels drown in float32's rounding


@runtime_checkable
class ImageSizes(Protocol):
    """height, width: pixels of an image."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...


@runtime_checkable
class LatentSizes(ImageSizes, Protocol):
    """latents: how many there are of an image."""

    @property
    def latents(self) -> int: ...


@runtime_checkable
class ConvSizes(LatentSizes, Protocol):
    """Those of a convolutional encoder and its mirror.

    channels: width of each stride-2 convolution, first to last. hidden: width of the fully connected layer. patch:
    space-to-depth factor in front of the first convolution. feature_shape: (channels, height, width) of the last map.
    """

    @property
    def channels(self) -> tuple[int, ...]: ...

    @property
    def hidden(self) -> int: ...

    @property
    def patch(self) -> int: ...

    @property
    def feature_shape(self) -> tuple[int, int, int]: ...
