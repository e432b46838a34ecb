"""The integer-exact distributions of trained heads: their integers, from a calibration's fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vaecodec.families.photo.context import SliceNets
from vaecodec.families.photo.convert_layers import fraction_bits, integer_convolution
from vaecodec.families.photo.layers import Enlarge
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.transforms import LATENT_UNIT
from vaecodec.photo.convolution import ExactConvolution, Float64
from vaecodec.photo.gaussians import LEAST_SCALE, TABLE_STEP
from vaecodec.photo.heads import (
    LOUDEST,
    TOLD_BITS,
    Z_GAIN_BITS,
    ExactBaseHeads,
    ExactBaseSlice,
    ExactDetailHalf,
    ExactDetailHeads,
    ExactHyper,
)


@torch.no_grad()
def convert_hyper(model: Photo, levels: Tensor, greatest: Mapping[str, Float64], facts_bits: int) -> ExactHyper:
    """facts_bits: after the point, of the result."""
    layers_of = model.hyper_synthesis.layers
    convolutions = [cast(Enlarge, layers_of[k]).spread for k in (0, 2)] + [cast(nn.Conv2d, layers_of[4])]
    names = [f"hyper_synthesis.layers.{number}" for number in ("0.spread", "2.spread", "4")]
    into, middle, last = (fraction_bits(greatest, name) for name in names)
    fractions = ((into, middle), (middle, last), (last, facts_bits))
    layers = tuple(
        integer_convolution(c.weight, c.bias, fractions=f, relu=k > 0, fast=greatest[names[k]])
        for k, (c, f) in enumerate(zip(convolutions, fractions, strict=True))
    )
    gain = _table(torch.exp(-model.log_z_gain(levels)), 2.0 ** (into + Z_GAIN_BITS)).astype(np.int32)
    bias = _table(model.hyper_synthesis.level(levels), 2.0**facts_bits).astype(np.int32)
    return ExactHyper(gain, layers, bias)


@torch.no_grad()
def convert_base_heads(model: Photo, greatest: Mapping[str, Float64], facts_bits: int) -> ExactBaseHeads:
    """Networks of y, whose inputs are facts of facts_bits and what is told in 16ths, over 4."""
    told = TOLD_BITS + round(math.log2(LATENT_UNIT))
    made = []
    for number, module in enumerate(model.base_heads.nets):
        nets = cast(SliceNets, module)
        name = f"base_heads.nets.{number}"
        hearing = {f"{name}.others.{k}": cast(nn.Conv2d, net) for k, net in enumerate(nets.others)}
        *others, even = (
            integer_convolution(c.weight, c.bias, fractions=(told, facts_bits), fast=greatest[heard])
            for heard, c in {**hearing, f"{name}.even": nets.even}.items()
        )
        join = _join(nets.join, f"{name}.join", greatest, facts_bits)
        made.append(ExactBaseSlice(tuple(others), even, join))
    return ExactBaseHeads(model.config.base_slices, tuple(made))


@torch.no_grad()
def convert_detail_heads(
    model: Photo, levels: Tensor, greatest: Mapping[str, Float64], *, trunk_bits: int, facts_bits: int
) -> ExactDetailHeads:
    """trunk_bits, facts_bits: after the point, of the trunk of ŷ and of the facts about y."""
    heads, config = model.detail_heads, model.config
    first, second = (cast(nn.Conv2d, heads.summary[k]) for k in (0, 2))
    unit = torch.ones(first.weight.shape[1])
    unit[: config.synthesis_widths[0]] = 2.0 ** (facts_bits - trunk_bits) / LATENT_UNIT  # the trunk has its own unit
    middle = fraction_bits(greatest, "detail_heads.summary.2")
    inner = fraction_bits(greatest, *(f"detail_heads.join.{name}.0" for name in heads.join))
    summary = (
        integer_convolution(first.weight * unit[:, None, None], first.bias, fractions=(facts_bits, middle)),
        integer_convolution(
            second.weight, second.bias, fractions=(middle, inner), relu=True, fast=greatest["detail_heads.summary.2"]
        ),
    )
    spread = _table(heads.spread(levels) / TABLE_STEP, 2.0**TOLD_BITS).astype(np.int32)
    halves = []
    for number in range(len(config.detail_slices)):
        both = [_detail_half(heads, f"{number}{parity}", greatest, inner) for parity in (0, 1)]
        halves.append((both[0], both[1]))
    bias = _table(heads.level(levels), 2.0**inner).astype(np.int32)
    return ExactDetailHeads(config.detail_slices, summary, bias, spread, tuple(halves))


def _detail_half(heads: nn.Module, name: str, greatest: Mapping[str, Float64], inner: int) -> ExactDetailHalf:
    near: tuple[ExactConvolution, ...] = ()
    networks = heads.get_submodule("near")
    if name in dict(networks.named_children()):
        first, second = (networks.get_submodule(f"{name}.{number}") for number in (0, 2))
        assert isinstance(first, nn.Conv2d)
        assert isinstance(second, nn.Conv2d)
        middle = fraction_bits(greatest, f"detail_heads.near.{name}.2")
        loudest = LOUDEST << TOLD_BITS
        near = (
            integer_convolution(first.weight, first.bias, fractions=(TOLD_BITS, middle), limit=loudest),
            integer_convolution(
                second.weight,
                second.bias,
                fractions=(middle, inner),
                relu=True,
                fast=greatest[f"detail_heads.near.{name}.2"],
            ),
        )
    join = heads.get_submodule(f"join.{name}")
    assert isinstance(join, nn.Sequential)
    return ExactDetailHalf(near, _join(join, f"detail_heads.join.{name}", greatest, inner, relu=True))


def _join(
    layers: nn.Sequential, name: str, greatest: Mapping[str, Float64], into: int, *, relu: bool = False
) -> tuple[ExactConvolution, ...]:
    """The layers of a join; relu: its inputs are nowhere below 0. The last one's second half becomes a table number."""
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
        made.append(
            integer_convolution(
                weight,
                bias,
                fractions=(bits[number], bits[number + 1]),
                relu=relu or number > 0,
                fast=greatest[f"{name}.{k}"],
            )
        )
    return tuple(made)


def _table(values: Tensor, scale: float) -> Float64:
    return np.asarray(np.rint(values.detach().double().flatten(1).numpy() * scale))
