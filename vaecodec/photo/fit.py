"""Whether the parts of integer networks fit each other: what a file claims is checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaecodec.errors import BadField, NotExact
from vaecodec.photo.convolution import EXACT, TRUNK, ExactConvolution
from vaecodec.photo.latents import ExactPhoto
from vaecodec.photo.regions import BLOCKS_A_POSITION, COLOURS, DETAIL_BLOCK

LAST_FACTOR = 4  # of the pixel shuffle that gives the picture


def check_fit(networks: ExactPhoto) -> None:
    """Raises BadField where what one layer gives is not what the next one takes."""
    _tables(networks)
    base, detail = sum(networks.base_heads.sizes), networks.detail_channels
    trunk = _synthesis(networks, base, detail)
    facts = _hyper(networks)
    for number, nets in enumerate(networks.base_heads.nets):
        size, before = networks.base_heads.sizes[number], sum(networks.base_heads.sizes[:number])
        said = {_through("what others say", [one], before) for one in nets.others}
        even = _through("what the even half says", [nets.even], size)
        joined = facts + even + (said.pop() if said else 0)
        if said or _through("a join of y", nets.join, joined, kernel=1) != 2 * size:
            raise BadField(f"photograph model: the networks of slice {number} of y do not fit")
    heads = networks.detail_heads
    features = _through("the detail's summary", heads.summary, trunk + facts, kernel=1)
    for number, halves in enumerate(heads.halves):
        for half in halves:
            told = 0
            if half.near:
                _through("what is told of the detail", half.near[:1], detail, kernel=1)
                told = _through("what is told of the detail", half.near, detail)
            if _through("a join of the detail", half.join, features + told, kernel=1) != 2 * heads.sizes[number]:
                raise BadField(f"photograph model: the networks of slice {number} of the detail do not fit")


def _tables(networks: ExactPhoto) -> None:
    """What is added to int16 is int16 itself, and the detail's sums stay below 2^52."""
    synthesis, heads = networks.synthesis, networks.detail_heads
    biases = [stage.level_bias for stage in synthesis.stages] + [networks.hyper.level_bias, heads.level_bias]
    if any(np.abs(bias.astype(np.int64)).max(initial=0) > TRUNK for bias in biases):
        raise BadField(f"photograph model: a level's bias is beyond ±{TRUNK}")
    if np.abs(heads.offset.astype(np.int64)).max(initial=0) > TRUNK:
        raise BadField(f"photograph model: an offset of table numbers is beyond ±{TRUNK}")
    gains = (synthesis.inverse_gain, networks.hyper.inverse_gain, synthesis.step)
    if any(gain.min(initial=0) < 0 for gain in gains):
        raise BadField("photograph model: gains and steps must not be negative")
    sums = int(np.abs(synthesis.basis.astype(np.int64)).sum(0).max(initial=0)) * TRUNK
    if sums * int(synthesis.step.max(initial=0)) >= EXACT // 2:
        raise NotExact("photograph model: the detail's products may reach 2^52")


def _synthesis(networks: ExactPhoto, base: int, detail: int) -> int:
    """Returns the channels of the trunk at /16."""
    synthesis = networks.synthesis
    width = trunk = _through("the synthesis", [synthesis.enter], base)
    for stage in synthesis.stages:
        for branch in stage.branches:
            if _through("a branch", branch.convolutions, width) != width:
                raise BadField("photograph model: a branch of the synthesis does not end as wide as it begins")
        width = _shuffled(_through("a stage", [stage.leave], width), 2)
    picture = networks.synthesis.stages[2].leave.weights.shape[3]
    if picture != COLOURS * LAST_FACTOR**2:
        raise BadField(f"photograph model: {picture} channels of pixels, expected {COLOURS * LAST_FACTOR**2}")
    if synthesis.basis.shape != (detail // BLOCKS_A_POSITION, COLOURS * DETAIL_BLOCK**2):
        raise BadField(f"photograph model: a basis of {synthesis.basis.shape} for {detail} channels of the detail")
    return trunk


def _hyper(networks: ExactPhoto) -> int:
    """Returns the channels of the facts."""
    width = networks.z_tables.n
    for number, layer in enumerate(networks.hyper.layers):
        width = _through("the network of ẑ", [layer], width)
        if number < len(networks.hyper.layers) - 1:
            width = _shuffled(width, 2)
    return width


def _shuffled(channels: int, factor: int) -> int:
    if channels % factor**2:
        raise BadField(f"photograph model: {channels} channels cannot be shuffled by {factor}")
    return channels // factor**2


def _through(what: str, layers: Sequence[ExactConvolution], entering: int, kernel: int = 0) -> int:
    """Channels that leave the last of some layers. kernel: of all of them; 0: any."""
    for layer in layers:
        size, _, channels, out = layer.weights.shape
        if channels != entering or (kernel and size != kernel):
            raise BadField(f"photograph model: {what}: a {size}x{size} layer of {channels} channels takes {entering}")
        entering = out
    return entering
