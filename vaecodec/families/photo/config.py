"""Sizes of the photograph family, and what a level of β means.

level 0 … anchors - 1 (a real number) --> λ of 255² MSE beside bits a pixel, log-spaced; β = 1 / λ
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import Tensor

from vaecodec.errors import ConfigError
from vaecodec.photo.regions import BLOCK, BLOCKS_A_POSITION


@dataclass(frozen=True, slots=True)
class PhotoConfig:
    """Every size of the networks. Widths are channels; `anchors` levels have learned values, the others lie between.

    base_slices, detail_slices: channels of y and of the detail latents that are told together (order.py).
    detail_from: below this level nothing is told of the detail. Raises ConfigError.
    """

    anchors: int = 12
    first_lambda: float = 0.0009
    lambda_ratio: float = 1.7487  # from one level to the next: 50 ** (1 / 7)
    analysis_widths: tuple[int, int, int] = (128, 192, 256)  # at /4, /8 and /16
    synthesis_widths: tuple[int, int, int] = (256, 128, 64)  # at /16, /8 and /4
    analysis_blocks: int = 4  # a width
    synthesis_blocks: tuple[int, int, int] = (4, 2, 2)  # a width
    base_slices: tuple[int, ...] = (32, 32, 64, 64)
    detail_slices: tuple[int, ...] = (128, 512)  # components by falling variance, times 4 blocks
    hyper_channels: int = 96  # of z
    hyper_widths: tuple[int, int, int] = (160, 128, 192)  # inside h_a, inside h_s, of what h_s gives
    slice_widths: tuple[int, int, int] = (
        128,
        192,
        128,
    )  # of what others say; of two hidden layers
    detail_widths: tuple[int, int, int, int] = (192, 96, 128, 256)  # features, known symbols twice, hidden
    detail_from: float = 3.0

    def __post_init__(self) -> None:
        if self.anchors < 2:
            raise ConfigError(f"anchors: expected at least 2, found {self.anchors}")
        if not (self.first_lambda > 0 and self.lambda_ratio > 1):
            raise ConfigError("first_lambda must be above 0 and lambda_ratio above 1")
        if sum(self.detail_slices) > 3 * BLOCK**2 or sum(self.detail_slices) % BLOCKS_A_POSITION:
            raise ConfigError(f"detail_slices: expected a multiple of 4, at most 768, found {sum(self.detail_slices)}")
        for name in ("base_slices", "detail_slices"):
            if not getattr(self, name) or min(getattr(self, name)) < 1:
                raise ConfigError(f"{name}: expected channels of at least one slice, found {getattr(self, name)}")

    @property
    def base_channels(self) -> int:
        """Channels of y."""
        return sum(self.base_slices)

    @property
    def detail_channels(self) -> int:
        """Channels of the detail latents."""
        return sum(self.detail_slices)

    @property
    def detail_components(self) -> int:
        """Components of the detail's transform."""
        return self.detail_channels // BLOCKS_A_POSITION

    @property
    def passes(self) -> int:
        """Parallel passes in which all latents but z are told."""
        return len(self.base_slices) + len(self.detail_slices) + 2

    def lambda_of(self, level: Tensor) -> Tensor:
        """λ of each level, any shape."""
        return self.first_lambda * self.lambda_ratio**level

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhotoConfig:
        """The inverse of `to_dict`; raises ConfigError for a key that is none of ours."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"unknown keys of the photograph family: {', '.join(unknown)}")
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**plain)
