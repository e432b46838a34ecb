"""The whole codec as training sees it: symbols are rounded as a file has them, rates are -log2 p.

    x --Analysis--> y --gains, z, passes--> ŷ --Synthesis--> picture ──────────────(+)── x̂
    x - picture --KLT--> detail / step --passes--> symbols · step --KLT^T────────────┘

The detail's symbols are the cheapest ones (rates.cheapest_symbols), so by the envelope theorem the gradient of R + λ D
with respect to the picture, the means and the KLT is that of D with the symbols held: nothing is estimated there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.context import BaseHeads, DetailHeads, HyperAnalysis, HyperSynthesis
from vaecodec.families.photo.layers import PerLevel, full_precision, pick, place
from vaecodec.families.photo.prior import Prior
from vaecodec.families.photo.rates import cheapest_symbols, gaussian_bits, rated_bits, straight_through
from vaecodec.families.photo.transforms import Analysis, DetailTransform, Synthesis
from vaecodec.photo.order import Part, decode_order, drive

STEP_OF_SLOPE = 26.0  # at high rates dD/dR of a channel is λ/3 where step² = 26 / λ (steps of 255)
FIRST_STEP = 0.9  # of that: cheapest symbols leave out the small ones, so a finer step is better


@dataclass(frozen=True, slots=True)
class Base:
    """What the base latents give. y_hat: divided by the gains; facts, features (b, c, h, w); bits (b,)."""

    y_hat: Tensor
    facts: Tensor
    features: Tensor
    z_bits: Tensor
    y_bits: Tensor


@dataclass(frozen=True, slots=True)
class Coded:
    """One way through the codec. x_hat, picture (b, 3, H, W) in 0..1, not clamped; bits (b,)."""

    x_hat: Tensor
    picture: Tensor
    z_bits: Tensor
    y_bits: Tensor
    detail_bits: Tensor

    @property
    def bits(self) -> Tensor:
        """All bits, (b,)."""
        return self.z_bits + self.y_bits + self.detail_bits


class Photo(nn.Module):
    """The β-VAE of photographs. Sides of x are multiples of 64; levels lie in 0 .. anchors - 1."""

    def __init__(self, config: PhotoConfig, prior: nn.Module) -> None:
        super().__init__()
        self.config = config
        anchors = config.anchors
        self.analysis, self.synthesis = Analysis(config), Synthesis(config)
        self.hyper_analysis, self.hyper_synthesis = HyperAnalysis(config), HyperSynthesis(config)
        self.prior = prior
        self.base_heads, self.detail_heads = BaseHeads(config), DetailHeads(config)
        self.detail_transform = DetailTransform(config)
        self.log_gain = PerLevel(anchors, config.base_channels, -0.5, 3.4)
        self.log_z_gain = PerLevel(anchors, config.hyper_channels, 0.5, 1.3)
        self.log_step = PerLevel(anchors, 1)
        with torch.no_grad():
            level = torch.arange(anchors, dtype=torch.float32)
            step = FIRST_STEP * (STEP_OF_SLOPE / config.lambda_of(level)).sqrt() / 255
            self.log_step.value.copy_(step.log()[:, None])

    def forward(self, x: Tensor, level: Tensor) -> Coded:
        """x (b, 3, H, W) in 0..1; level (b,)."""
        return self.code(x, self.analysis(x), level)

    def code(self, x: Tensor, y: Tensor, level: Tensor) -> Coded:
        """The same, given y (b, c, H/16, W/16) of the analysis, which is the same at every level."""
        base = self.tell_base(y, level)
        picture = self.synthesis.picture(base.features, level)
        told, detail_bits = self.tell_detail(self.detail_transform.analyse(x - picture), base, level)
        x_hat = picture + self.detail_transform.synthesise(told)
        return Coded(x_hat, picture, base.z_bits, base.y_bits, detail_bits)

    def tell_base(self, y: Tensor, level: Tensor) -> Base:
        """y (b, c, h, w) of the analysis: quantised and rated."""
        with full_precision(y):
            gain, z_gain = torch.exp(self.log_gain(level)), torch.exp(self.log_z_gain(level))
            scaled = y * gain
            z = self.hyper_analysis(scaled) * z_gain
            z_hat = straight_through(z, torch.round(z))
            prior: Prior = self.prior  # type: ignore[assignment]
            z_bits = rated_bits(z, z_hat, prior.bits).sum((1, 2, 3))
            facts = self.hyper_synthesis(z_hat / z_gain, level, (y.shape[2], y.shape[3]))
            told, bits = self._tell_y(scaled, facts)
            # Means move what is told by roundings alone: where the latents learn nothing, no gradient passes.
            y_hat = (told if scaled.requires_grad else told.detach()) / gain
        return Base(y_hat, facts, self.synthesis.features(y_hat, level), z_bits, bits)

    def _tell_y(self, y: Tensor, facts: Tensor) -> tuple[Tensor, Tensor]:
        spent: list[Tensor] = []
        slices = self.config.base_slices

        def answer(part: Part[Tensor]) -> Tensor:
            v = _half(y, slices, part) - part.mean
            symbols = torch.round(v).detach()
            bits = rated_bits(v, symbols, partial(gaussian_bits, log_scale=part.scale))
            spent.append(bits.sum((1, 2, 3)))
            return straight_through(v, symbols) + part.mean

        told = drive(decode_order(partial(self.base_heads.part, facts), _zeros(y, slices), place), answer)
        return torch.cat(told, 1), torch.stack(spent).sum(0)

    def tell_detail(self, latents: Tensor, base: Base, level: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (b, c, h, w) of the residual: what is told of them (b, c, h, w), and its bits (b,)."""
        with full_precision(latents):
            step = torch.exp(self.log_step(level))
            weight = self.config.lambda_of(level)[:, None, None, None] * (255 * step).square() / 3
            facts = self.detail_heads.facts(base.features, base.facts, level)
            told, bits = self._tell_symbols(latents.detach() / step, facts, level, weight.detach())
            told_at_all = (level >= self.config.detail_from).to(bits.dtype)
            return told * step * told_at_all[:, None, None, None], bits * told_at_all

    def _tell_symbols(self, v: Tensor, facts: Tensor, level: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        spent: list[Tensor] = []
        slices = self.config.detail_slices

        def answer(part: Part[Tensor]) -> Tensor:
            aim = _half(v, slices, part)
            symbols = cheapest_symbols(aim - part.mean, part.scale, weight)
            spent.append(gaussian_bits(symbols, part.scale).sum((1, 2, 3)))
            return symbols + part.mean

        order = decode_order(partial(self.detail_heads.part, facts, level), _zeros(v, slices), place)
        told = drive(order, answer)
        return torch.cat(told, 1), torch.stack(spent).sum(0)


def _half(latents: Tensor, slices: tuple[int, ...], part: Part[Tensor]) -> Tensor:
    first = sum(slices[: part.slice])
    return pick(latents[:, first : first + slices[part.slice]], part.parity)


def _zeros(latents: Tensor, slices: tuple[int, ...]) -> list[Tensor]:
    batch, _, height, width = latents.shape
    return [latents.new_zeros(batch, channels, height, width) for channels in slices]
