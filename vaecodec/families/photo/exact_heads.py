"""The integer-exact distributions of all latents: what a decoder computes to know each symbol's table.

    ẑ --> facts (h, w, 192);  trunk of ŷ, facts --> facts of the detail
    facts, what is told --> means and table numbers of half a slice

What is told and means are in 16ths of a step. Tables are numbered 0 … 63. Positions of one colour are rows
of (n, c), in reading order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from vaecodec.families.photo.context import LOUDEST, SliceNets
from vaecodec.families.photo.exact_convert import fraction_bits, integer_convolution
from vaecodec.families.photo.exact_ops import TRUNK, Band, ExactConvolution, Float64, Int32, rescale
from vaecodec.families.photo.layers import Enlarge
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.order import Part
from vaecodec.families.photo.rates import GREATEST_SCALE, LEAST_SCALE
from vaecodec.families.photo.transforms import LATENT_UNIT

TABLES = 64
TABLE_STEP = math.log(GREATEST_SCALE / LEAST_SCALE) / (TABLES - 1)  # of ln σ
TOLD_BITS = 4  # after the point, of what is told, of means and of table numbers before rounding
TOLD_LIMIT = TRUNK
Z_BITS, Z_GAIN_BITS = 8, 12
Z_LIMIT = (1 << 12) - 1  # of hyperlatents


def colour(shape: tuple[int, int], parity: int) -> npt.NDArray[np.bool_]:
    """The positions of a colour of the checkerboard, bool (h, w)."""
    rows, columns = np.indices(shape)
    return np.asarray((rows + columns) % 2 == parity)


def place(half: Int32, parity: int, shape: tuple[int, int]) -> Int32:
    """Rows (n, c) of a colour to (h, w, c), zeros elsewhere."""
    whole = np.zeros((*shape, half.shape[1]), half.dtype)
    whole[colour(shape, parity)] = half
    return whole


def _whole(values: npt.NDArray[np.generic]) -> Band:
    return Band(values.astype(np.float64), 0, len(values))


def _rows(values: Float64) -> Band:
    """(n, c) as a map one column wide, for convolutions of 1×1."""
    return Band(values[:, None], 0, len(values))


@dataclass(frozen=True, slots=True)
class ExactSlice:
    """The networks of half a slice. near: what others tell, joined to the facts, in order; join: its layers.

    The last layer gives means, then table numbers, both in 16ths; offset (levels, c) is added to the numbers.
    """

    near: tuple[ExactConvolution, ...]
    join: tuple[ExactConvolution, ...]
    offset: Int32

    def joined(self, facts: Float64, near: Sequence[Float64], level: int) -> tuple[Int32, Int32]:
        """Rows of facts and of what others tell -> means (n, c), in 16ths, and table numbers (n, c)."""
        band = _rows(np.concatenate((facts, *near), 1))
        for layer in self.join:
            band = layer(band)
        mean, number = np.split(band.values[:, 0].astype(np.int32), 2, axis=1)
        number = (number + self.offset[level] + (1 << TOLD_BITS - 1)) >> TOLD_BITS
        return mean, np.clip(number, 0, TABLES - 1)


@dataclass(frozen=True, slots=True)
class ExactHyper:
    """ẑ to facts. inverse_gain (levels, c_z): 2^12 of ẑ's unit; layers and whether a shuffle by 2 follows each."""

    inverse_gain: Float64
    layers: tuple[tuple[ExactConvolution, bool], ...]
    level_bias: Int32

    def facts(self, z: Int32, level: int, shape: tuple[int, int]) -> Float64:
        """z (h_z, w_z, c_z), shape (h, w) of ŷ -> (h, w, facts)."""
        scaled = rescale(np.clip(z, -Z_LIMIT, Z_LIMIT).astype(np.float64), self.inverse_gain[level], Z_GAIN_BITS)
        band = Band(np.clip(scaled, -TRUNK, TRUNK), 0, len(z))
        for layer, enlarges in self.layers:
            band = layer(band).shuffled(2) if enlarges else layer(band)
        facts = band.values[: shape[0], : shape[1]] + self.level_bias[level]
        return np.asarray(np.clip(facts, -TRUNK, TRUNK))


@dataclass(frozen=True, slots=True)
class ExactBaseHeads:
    """Distributions of y: halves[number][parity]."""

    slices: tuple[int, ...]
    halves: tuple[tuple[ExactSlice, ExactSlice], ...]

    def part(self, facts: Float64, level: int, number: int, parity: int, known: Sequence[Int32]) -> Part[Int32]:
        """See order.Heads; facts (h, w, c), known (h, w, c) each, in 16ths."""
        half = self.halves[number][parity]
        where = colour((facts.shape[0], facts.shape[1]), parity)
        near, networks = [], list(half.near)
        if number:
            before = np.clip(np.concatenate(known[:number], 2), -TOLD_LIMIT, TOLD_LIMIT)
            near.append(networks.pop(0)(_whole(before)).values[where])
        if parity:
            own = np.clip(known[number], -TOLD_LIMIT, TOLD_LIMIT)
            near.append(networks.pop(0)(_whole(own)).values[where])
        else:
            near.append(np.zeros((int(where.sum()), 2 * self.slices[number])))
        return Part(number, parity, *half.joined(facts[where], near, level))


@dataclass(frozen=True, slots=True)
class ExactDetailHeads:
    """Distributions of the detail: summary of the trunk of ŷ and the facts, then halves[number][parity]."""

    slices: tuple[int, ...]
    summary: tuple[ExactConvolution, ExactConvolution]
    level_bias: Int32
    halves: tuple[tuple[ExactSlice, ExactSlice], ...]

    def facts(self, trunk: Float64, base_facts: Float64, level: int) -> Float64:
        """(h, w, 256) and (h, w, 192) -> (h, w, features)."""
        summary = self.summary[1](self.summary[0](_whole(np.concatenate((trunk, base_facts), 2))))
        return np.asarray(np.clip(summary.values + self.level_bias[level], 0, TRUNK))

    def part(self, facts: Float64, level: int, number: int, parity: int, known: Sequence[Int32]) -> Part[Int32]:
        """See order.Heads; facts of `facts`, known (h, w, c) each, in 16ths."""
        half = self.halves[number][parity]
        where = colour((facts.shape[0], facts.shape[1]), parity)
        near = []
        if half.near:
            loudest = int(LOUDEST) << TOLD_BITS
            told = _whole(np.clip(np.concatenate(known, 2), -loudest, loudest))
            near.append(half.near[1](half.near[0](told)).values[where])
        return Part(number, parity, *half.joined(facts[where], near, level))


@torch.no_grad()
def convert_hyper(model: Photo, levels: Tensor, greatest: Mapping[str, float], facts_bits: int) -> ExactHyper:
    """facts_bits: after the point, of the result."""
    layers_of = model.hyper_synthesis.layers
    convolutions = [cast(Enlarge, layers_of[k]).spread for k in (0, 2)] + [cast(nn.Conv2d, layers_of[4])]
    names = [f"hyper_synthesis.layers.{number}" for number in ("0.spread", "2.spread", "4")]
    into, middle, last = (fraction_bits(greatest, name) for name in names)
    fractions = ((into, middle), (middle, last), (last, facts_bits))
    layers = tuple(
        (integer_convolution(c.weight, c.bias, fractions=f, relu=k < 2), k < 2)
        for k, (c, f) in enumerate(zip(convolutions, fractions, strict=True))
    )
    gain = _table(torch.exp(-model.log_z_gain(levels)), 2.0 ** (into + Z_GAIN_BITS))
    bias = _table(model.hyper_synthesis.level(levels), 2.0**facts_bits).astype(np.int32)
    return ExactHyper(gain, layers, bias)


@torch.no_grad()
def convert_base_heads(model: Photo, greatest: Mapping[str, float], facts_bits: int, levels: int) -> ExactBaseHeads:
    """Networks of y, whose inputs are facts of facts_bits and what is told in 16ths, over 4."""
    halves = []
    told = TOLD_BITS + round(math.log2(LATENT_UNIT))
    for number, module in enumerate(model.base_heads.nets):
        nets, both = cast(SliceNets, module), []
        for parity in (0, 1):
            hearing = [cast(nn.Conv2d, nets.others[parity])] if number else []
            hearing += [nets.even] if parity else []
            near = tuple(
                integer_convolution(c.weight, c.bias, fractions=(told, facts_bits), relu=False) for c in hearing
            )
            offset = np.zeros((levels, model.config.base_slices[number]), np.int32)
            join = _join(nets.join, f"base_heads.nets.{number}.join", greatest, facts_bits)
            both.append(ExactSlice(near, join, offset))
        halves.append((both[0], both[1]))
    return ExactBaseHeads(model.config.base_slices, tuple(halves))


@torch.no_grad()
def convert_detail_heads(
    model: Photo, levels: Tensor, greatest: Mapping[str, float], *, trunk_bits: int, facts_bits: int
) -> ExactDetailHeads:
    """trunk_bits, facts_bits: after the point, of the trunk of ŷ and of the facts about y."""
    heads, config = model.detail_heads, model.config
    first, second = (cast(nn.Conv2d, heads.summary[k]) for k in (0, 2))
    unit = torch.ones(first.weight.shape[1])
    unit[: config.synthesis_widths[0]] = 2.0 ** (facts_bits - trunk_bits) / LATENT_UNIT  # the trunk has its own unit
    middle = fraction_bits(greatest, "detail_heads.summary.2")
    inner = fraction_bits(greatest, *(f"detail_heads.join.{name}.0" for name in heads.join))
    summary = (
        integer_convolution(first.weight * unit[:, None, None], first.bias, fractions=(facts_bits, middle), relu=True),
        integer_convolution(second.weight, second.bias, fractions=(middle, inner), relu=False),
    )
    spread = _table(heads.spread(levels) / TABLE_STEP, 2.0**TOLD_BITS).astype(np.int32)
    halves = []
    for number, channels in enumerate(config.detail_slices):
        begin = sum(config.detail_slices[:number])
        offset = np.ascontiguousarray(spread[:, begin : begin + channels])
        both = [_detail_half(heads, f"{number}{parity}", greatest, inner, offset) for parity in (0, 1)]
        halves.append((both[0], both[1]))
    bias = _table(heads.level(levels), 2.0**inner).astype(np.int32)
    return ExactDetailHeads(config.detail_slices, summary, bias, tuple(halves))


def _detail_half(heads: nn.Module, name: str, greatest: Mapping[str, float], inner: int, offset: Int32) -> ExactSlice:
    near: tuple[ExactConvolution, ...] = ()
    networks = heads.get_submodule("near")
    if name in dict(networks.named_children()):
        first, second = (networks.get_submodule(f"{name}.{number}") for number in (0, 2))
        assert isinstance(first, nn.Conv2d)
        assert isinstance(second, nn.Conv2d)
        middle = fraction_bits(greatest, f"detail_heads.near.{name}.2")
        loudest = int(LOUDEST) << TOLD_BITS
        near = (
            integer_convolution(
                first.weight, first.bias, fractions=(TOLD_BITS, middle), relu=True, input_limit=loudest
            ),
            integer_convolution(second.weight, second.bias, fractions=(middle, inner), relu=True),
        )
    join = heads.get_submodule(f"join.{name}")
    assert isinstance(join, nn.Sequential)
    return ExactSlice(near, _join(join, f"detail_heads.join.{name}", greatest, inner), offset)


def _join(layers: nn.Sequential, name: str, greatest: Mapping[str, float], into: int) -> tuple[ExactConvolution, ...]:
    """The layers of a join. The last one's second half, ln σ, becomes a table number."""
    places = [k for k, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    bits = [into, *(fraction_bits(greatest, f"{name}.{k}") for k in places[1:]), TOLD_BITS]
    made = []
    for number, k in enumerate(places):
        layer = layers[k]
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        weight, bias = layer.weight.double(), layer.bias.double()
        last = k == places[-1]
        if last:
            half = len(weight) // 2
            weight = torch.cat((weight[:half], weight[half:] / TABLE_STEP))
            bias = torch.cat((bias[:half], (bias[half:] - math.log(LEAST_SCALE)) / TABLE_STEP))
        made.append(integer_convolution(weight, bias, fractions=(bits[number], bits[number + 1]), relu=not last))
    return tuple(made)


def _table(values: Tensor, scale: float) -> Float64:
    return np.asarray(np.rint(values.detach().double().flatten(1).numpy() * scale))
