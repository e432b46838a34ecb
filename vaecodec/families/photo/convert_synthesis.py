"""The integer-exact synthesis of a trained one: its integers, from a calibration's fractions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from vaecodec.families.photo.convert_layers import fast_bits, fraction_bits, integer_convolution
from vaecodec.families.photo.layers import Bottleneck
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.transforms import LATENT_UNIT, MIDDLE
from vaecodec.photo.convolution import ExactConvolution, Float64
from vaecodec.photo.synthesis import (
    BASIS_BITS,
    GAIN_BITS,
    LATENT_LIMIT,
    PIXEL_BITS,
    STEP_BITS,
    ExactBranch,
    ExactStage,
    ExactSynthesis,
)

LEAVES = ("synthesis.enlarge_first.spread", "synthesis.enlarge_second.spread", "synthesis.leave")


def convert_synthesis(model: Photo, levels: torch.Tensor, greatest: Mapping[str, Float64]) -> ExactSynthesis:
    """levels (n,): the real levels that the tables' rows stand for. greatest: of exact_convert.greatest_inputs."""
    synthesis = model.synthesis
    into = fraction_bits(greatest, "synthesis.enter", limit=LATENT_LIMIT)
    trunks = trunk_bits(model, greatest)
    enter = integer_convolution(
        synthesis.enter.weight,
        synthesis.enter.bias,
        fractions=(into, trunks[0]),
        limit=LATENT_LIMIT,
    )
    leaves = (synthesis.enlarge_first.spread, synthesis.enlarge_second.spread, synthesis.leave)
    stages = []
    for number, (blocks, leave) in enumerate(zip(_blocks(model), leaves, strict=True)):
        bias = _table(model.synthesis.levels[number](levels), 2.0 ** trunks[number])
        branches = tuple(_branch(name, block, trunks[number], greatest) for name, block in blocks)
        seen = greatest[LEAVES[number]]
        stages.append(ExactStage(bias.astype(np.int32), branches, _leave(leave, trunks, number, seen)))
    gain = torch.exp(-model.log_gain(levels)) / LATENT_UNIT
    step = 255 * torch.exp(model.log_step(levels)).flatten()
    return ExactSynthesis(
        inverse_gain=_table(gain, 2.0 ** (into + GAIN_BITS - 4)).astype(np.int32),
        enter=enter,
        stages=(stages[0], stages[1], stages[2]),
        basis=np.rint(model.detail_transform.basis.detach().double().numpy() * 2**BASIS_BITS).astype(np.int32),
        step=np.rint(step.detach().double().numpy() * 2.0 ** (PIXEL_BITS + STEP_BITS - 4)).astype(np.int32),
    )


def _blocks(model: Photo) -> list[list[tuple[str, torch.nn.Module]]]:
    names = ("first", "second", "third")
    return [
        [(f"synthesis.{name}.{number}", block) for number, block in enumerate(getattr(model.synthesis, name))]
        for name in names
    ]


def trunk_bits(model: Photo, greatest: Mapping[str, Float64]) -> list[int]:
    """Fraction bits of the three trunks, which must hold what enters every block and what leaves the last."""
    return [
        fraction_bits(greatest, *(f"{name}.enter" for name, _ in blocks), leave)
        for blocks, leave in zip(_blocks(model), LEAVES, strict=True)
    ]


def _branch(name: str, block: torch.nn.Module, trunk: int, greatest: Mapping[str, Float64]) -> ExactBranch:
    """The trunk enters with few enough bits for float32, and so does what lies between."""
    names = ("enter", "look", "leave") if isinstance(block, Bottleneck) else ("enter", "leave")
    convolutions = [getattr(block, part) for part in names]
    seen = [greatest[f"{name}.{part}"] for part in names]
    inner = [
        fast_bits(c.weight, greatest[full], relu=True) if c.kernel_size[0] > 1 else fraction_bits(greatest, full)
        for c, full in [(c, f"{name}.{part}") for c, part in zip(convolutions[1:], names[1:], strict=True)]
    ]
    fractions = [trunk, *inner, trunk]
    return ExactBranch(
        tuple(
            integer_convolution(c.weight, c.bias, fractions=(fractions[k], fractions[k + 1]), relu=k > 0, fast=seen[k])
            for k, c in enumerate(convolutions)
        )
    )


def _leave(convolution: torch.nn.Conv2d, trunks: list[int], number: int, seen: Float64) -> ExactConvolution:
    """From one trunk to the next; the last one gives grey levels."""
    assert convolution.bias is not None
    if number + 1 < len(trunks):
        fractions = (trunks[number], trunks[number + 1])
        return integer_convolution(convolution.weight, convolution.bias, fractions=fractions, fast=seen)
    weight, bias = 255 * convolution.weight, 255 * (convolution.bias + MIDDLE)
    return integer_convolution(weight, bias, fractions=(trunks[number], PIXEL_BITS), fast=seen)


def _table(values: torch.Tensor, scale: float) -> Float64:
    """(levels, c, 1, 1) -> integers (levels, c)."""
    return np.asarray(np.rint(values.detach().double().flatten(1).numpy() * scale))
