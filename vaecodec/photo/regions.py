"""Where the latents of a picture lie, and the regions that are told by a payload each.

pixels (h, w) --padded by their edges to multiples of 16--> latents (⌈h/16⌉, ⌈w/16⌉), hyperlatents at a quarter of it
latents --regions of at most 128×128, in reading order--> one payload each
"""

from __future__ import annotations

from dataclasses import dataclass

from vaecodec.arrays import Size

COLOURS = 3  # red, green, blue
BLOCK = 16  # pixels a side of one position of y and of the detail latents
DETAIL_BLOCK = 8  # pixels a side of the detail's transform: what the base leaves has no longer correlations
BLOCKS_A_POSITION = (BLOCK // DETAIL_BLOCK) ** 2
HYPER_BLOCK = 64  # pixels a side of one position of z
REGION = 128  # positions of y a side: 2,048 pixels; what is held at once of a region stays below 200 MB


@dataclass(frozen=True, slots=True)
class Region:
    """Some positions of y: rows first from `top`, columns from `left`."""

    top: int
    left: int
    height: int
    width: int

    @property
    def shape(self) -> Size:
        """(height, width), in positions of y."""
        return self.height, self.width

    @property
    def inside(self) -> tuple[slice, slice]:
        """Where it lies in an array of all positions (h, w, …)."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def latent_size(size: Size) -> Size:
    """Positions of y of a picture of so many pixels, (height, width)."""
    return -(-size[0] // BLOCK), -(-size[1] // BLOCK)


def hyper_size(shape: Size) -> Size:
    """Positions of z of a region of so many positions of y."""
    quarter = HYPER_BLOCK // BLOCK
    return -(-shape[0] // quarter), -(-shape[1] // quarter)


def region_grid(size: Size) -> tuple[Region, ...]:
    """The regions of a picture of so many pixels (height, width), in reading order: one payload each."""
    height, width = latent_size(size)
    return tuple(
        Region(top, left, min(REGION, height - top), min(REGION, width - left))
        for top in range(0, height, REGION)
        for left in range(0, width, REGION)
    )
