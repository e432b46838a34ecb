"""How half-planes begin: as lines along the picture's outline, from all sides.

    image ──> lit pixels ──> farthest to the left and to the right of each direction ──> the line through both ──fit──┐
    latents, with noise ───────────────────────────────────────────────────> network ──> normals and offsets ─────────┘

So the drawing begins with the outline in its place, of the right size and turned as it should be, and learns what is
wrong with it. From random half-planes it must first find out that there is an outline, and stays round for long.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.half_planes import HalfPlaneMap
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.recipes.batches import stream_seed
from vaecodec.recipes.begin_moments import LITTLE
from vaecodec.recipes.descent import descend

APART = math.radians(15)  # to the left and to the right
CLOSE = 1.5  # pixels: what lies no farther apart makes no line
RADIUS = 10.0  # pixels from the center at which an error of a normal counts as much as one of an offset
FITTING_STEPS, FITTING_BATCH, FITTING_RATE = 4000, 256, 3e-3
INSIDE, OUTSIDE = 3.0, 4.0  # the first logit inside an outline, and how much lower it is a step outside
FITTING_STREAM = 12  # of random numbers, beside those of vaecodec.recipes.batches
SHARE_OF_OUTSIDE = 8.0  # of the map's first channels: the mean distance outside the half-planes, so many times


def begin_half_planes(
    drawn: HalfPlaneMap, latents: Float[Tensor, "b n"], noise: Float[Tensor, "b n"], x: Float[Tensor, "b h w"]
) -> float:
    """Let a fresh map draw the outlines of images x; the mean error of its lines that is left, in pixels.

    latents: what the map's networks take for these images; up to ±noise is added to them. The map's position must be
    the center already.
    """
    network, side = drawn.coefficients, max(drawn.plane)
    lit = x.flatten(1).amax(dim=1) > 0.5
    latents, noise, x = latents[lit], noise[lit], x[lit]
    with torch.no_grad():
        normals, reach = outlines(x, drawn.count)
        center = side * drawn.position(latents)
        offsets = (center[:, :, None] * normals).sum(dim=1) - reach
        targets = torch.cat([RADIUS * normals.flatten(1), offsets], dim=1)
        to_pixels = torch.ones(targets.shape[1])  # from the network's units, where coordinates are -1..1
        to_pixels[: 2 * drawn.count] = RADIUS / side
        network.leave.weight.mul_(1 / to_pixels[:, None])
        network.leave.bias.copy_(targets.mean(dim=0) / to_pixels)
        _begin_channels(drawn)

    def error(step: int) -> Tensor:
        rng = np.random.default_rng(stream_seed(FITTING_STREAM, 0, step))
        chosen = torch.from_numpy(rng.integers(len(x), size=FITTING_BATCH))
        shift = torch.from_numpy(rng.uniform(-1, 1, (FITTING_BATCH, latents.shape[1])).astype(np.float32))
        found = to_pixels * network(latents[chosen] + shift * noise[chosen])
        mean: Tensor = (found - targets[chosen]).square().mean()
        return mean

    descend(network, error, steps=FITTING_STEPS, learning_rate=FITTING_RATE)
    with torch.no_grad():
        return float((to_pixels * network(latents) - targets).abs().mean())


def _begin_channels(drawn: HalfPlaneMap) -> None:
    """One channel for each pixel of a position: how far outside the half-planes it lies, on the whole."""
    k, mix = drawn.count, drawn.mix
    assert mix.bias is not None
    for phase in range(min(len(PHASES), mix.out_channels)):
        mix.weight[phase].zero_()
        mix.weight[phase, phase * k : (phase + 1) * k] = SHARE_OF_OUTSIDE / k
        mix.bias[phase] = 0


@torch.no_grad()
def begin_head(head: nn.Conv2d, outputs: list[int], *, lit: bool) -> None:
    """Let each pixel's logit depend on its channel of the map.

    outputs: which logit is that of each phase's pixel. lit: whether logits are of lit pixels, or of unlit ones.
    """
    assert head.bias is not None
    sign = 1 if lit else -1
    head.weight.mul_(LITTLE)
    for channel, output in enumerate(outputs[: head.in_channels]):
        head.weight[output, channel] = -sign * OUTSIDE
    head.bias.fill_(sign * INSIDE)


def outlines(x: Float[Tensor, "b h w"], count: int) -> tuple[Float[Tensor, "b 2 k"], Float[Tensor, "b k"]]:
    """Lines along the outlines of images from all sides: normals of length 1 (row, column), distance from the middle.

    A line touches the lit pixels, and runs along a straight edge where there is one within APART of its direction.
    """
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in x.shape[1:])
    places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).view(-1, 2)
    unlit = torch.where(x.flatten(1) > 0.5, 0.0, -math.inf)
    normals, reach = [], []
    for angle in torch.arange(count) * (2 * math.pi / count):
        left, right = (places[(unlit + places @ _towards(a)).argmax(dim=1)] for a in (angle - APART, angle + APART))
        edge = right - left
        length = edge.norm(dim=1, keepdim=True)
        normal = torch.stack([edge[:, 1], -edge[:, 0]], dim=1) / length.clamp_min(CLOSE)
        normal = torch.where(length > CLOSE, normal, _towards(angle))
        normals.append(normal)
        reach.append((unlit + normal @ places.T).amax(dim=1))
    return torch.stack(normals, dim=2), torch.stack(reach, dim=1)


def _towards(angle: Tensor) -> Float[Tensor, 2]:
    return torch.stack([angle.cos(), angle.sin()])
