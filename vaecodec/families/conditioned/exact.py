"""ExactConditionedSynthesis: the integer-exact twin of ConditionedSynthesis.

    symbols · gain(level) ─> u, ±511 ──Dense─> stream, ±8191 ─blocks─> 0..255 ─┐
                             └─────────────────────────────────────────────────┴─Dense─> index ─table─> pixel

A block: stream · gain(level) ─> fine units ─ + offset(level) ─> 0..255 ─Dense─> 0..255 ─Dense─> ± stream. "Fine units"
are a sixteenth of what follows them, so that what is added there is not rounded first.

Where an image has several tiles, symbols and the level become maps first, with one position for each tile, at which all
of this is done, and a shuffle puts the pixels of the tiles in their places.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.conditioned.model import ConditionedSynthesis, LevelBlock
from vaecodec.families.conditioned.tiles import joined, of_each_tile
from vaecodec.layers.calibration import top_of_all
from vaecodec.layers.exact.dense import ACTIVATION_TOP, FIRST_WEIGHT_LIMIT, ExactDense, round_through
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.pixel_scales import SOFT_CLAMP

LATENT_TOP = 511  # more would leave the straight path's weights less room below 2^24, and those of fine levels need it
STREAM_TOP = 8191
GAIN_TOP = 2000  # times STREAM_TOP stays below 2^24
OFFSET_TOP = 32767
FINE_SHIFT = 4  # fine units are 2^-4 of what follows them
LAST_SHIFT = 10  # of the gain behind the last block: so many bits of its fraction are kept
REACH_MARGIN = 1.25  # of what the sample reaches


class LevelIntegers(nn.Module):
    """A vector of integers for each level, |entry| ≤ top, trained with straight-through rounding."""

    def __init__(self, values: Float[Tensor, "levels c"], top: int) -> None:
        super().__init__()
        self.top = top
        self.scale = max(float(values.detach().abs().max()), 1e-6)  # so that a learning rate means the same everywhere
        self.values = nn.Parameter(values.detach() / self.scale)

    def integers(self) -> Float[Tensor, "levels c"]:
        """The table."""
        return round_through((self.values * self.scale).clamp(-self.top, self.top))

    def forward(self, level: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        return self.integers()[level]


class ExactGain(nn.Module):
    """Symbols times what a level makes of them: integers within ±top.

    factors (levels, c): latents in integer units of symbols; reach (c,): |symbol| is at most that.
    """

    shift: Tensor

    def __init__(self, factors: Float[Tensor, "levels c"], reach: Float[Tensor, " c"], top: int) -> None:
        super().__init__()
        self.top = top
        largest = factors.abs().amax(dim=0).clamp_min(1e-9)
        room = torch.minimum(FIRST_WEIGHT_LIMIT / largest, 2.0**23 / (largest * reach.clamp_min(1)))
        self.register_buffer("shift", room.log2().floor().clamp(0, 24))
        self.gain = LevelIntegers(factors * self.shift.exp2(), FIRST_WEIGHT_LIMIT)

    def forward(self, symbols: Float[Tensor, "b c"], level: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        product = symbols * self.gain(level)
        return round_through(product * (-self.shift).exp2()).clamp(-self.top, self.top)

    def build(self, graph: ExactGraph, symbols: int, level: int) -> int:
        """Add the operations."""
        product = graph.multiply(symbols, graph.lookup(level, self.gain.integers()))
        return graph.rescale(product, self.shift, -self.top, self.top)


def begin_graph(limit: Float[Tensor, " n"], levels: int) -> tuple[ExactGraph, int, int]:
    """A graph whose inputs are n symbols within ±limit and the level; the numbers of the two."""
    n, reach = len(limit), limit.numpy().astype(np.int32)
    graph = ExactGraph(np.append(-reach, 0).astype(np.int32), np.append(reach, levels - 1).astype(np.int32))
    return graph, graph.slice(graph.input, 0, n), graph.slice(graph.input, n, n + 1)


def _rescale(x: Tensor, shift: int, low: int, high: int) -> Tensor:
    return round_through(x * 2.0**-shift).clamp(low, high)


class ExactLevelBlock(nn.Module):
    """The twin of LevelBlock. stream_unit: what one unit of the stream is worth; tops: what 255 is, at either ReLU."""

    def __init__(self, block: LevelBlock, stream_unit: float, tops: tuple[float, float]) -> None:
        super().__init__()
        first, second = (top / ACTIVATION_TOP for top in tops)
        gain = block.gain.table() * (stream_unit / first * (1 << FINE_SHIFT))
        self.gain_shift = int(np.clip(np.floor(np.log2(GAIN_TOP / float(gain.detach().abs().max()))), 0, 24))
        self.gain = LevelIntegers(gain * 2.0**self.gain_shift, GAIN_TOP)
        self.offset = LevelIntegers(block.offset.table() / first * (1 << FINE_SHIFT), OFFSET_TOP)
        full = torch.full((block.inner.in_features,), float(ACTIVATION_TOP))
        self.inner = ExactDense(
            block.inner.weight * (first / second), block.inner.bias / second, full, low=0, high=ACTIVATION_TOP
        )
        full = torch.full((block.outer.in_features,), float(ACTIVATION_TOP))
        self.outer = ExactDense(
            block.outer.weight * (second / stream_unit),
            block.outer.bias / stream_unit,
            full,
            low=-STREAM_TOP,
            high=STREAM_TOP,
        )

    def forward(self, h: Float[Tensor, "b u"], level: Int[Tensor, " b"]) -> Float[Tensor, "b u"]:
        fine = _rescale(h * self.gain(level), self.gain_shift, -OFFSET_TOP, OFFSET_TOP) + self.offset(level)
        inside = self.inner(_rescale(fine, FINE_SHIFT, 0, ACTIVATION_TOP))
        result: Tensor = h + self.outer(inside)
        return result.clamp(-STREAM_TOP, STREAM_TOP)

    def build(self, graph: ExactGraph, h: int, level: int) -> int:
        """Add the block's operations."""
        gained = graph.multiply(h, graph.lookup(level, self.gain.integers()))
        fine = graph.rescale(gained, self.gain_shift, -OFFSET_TOP, OFFSET_TOP)
        fine = graph.add(fine, graph.lookup(level, self.offset.integers()))
        inside = graph.exact_dense(self.inner, graph.rescale(fine, FINE_SHIFT, 0, ACTIVATION_TOP))
        return graph.rescale(graph.add(h, graph.exact_dense(self.outer, inside)), 0, -STREAM_TOP, STREAM_TOP)


class ExactConditionedSynthesis(nn.Module):
    """Made of a trained ConditionedSynthesis.

    limit (n,): larger |symbol| of a tile are clamped. symbols, level: a sample of tiles for calibration, float (b, n)
    and int64 (b,).
    """

    def __init__(
        self,
        synthesis: ConditionedSynthesis,
        limit: Float[Tensor, " n"],
        symbols: Float[Tensor, "b n"],
        level: Int[Tensor, " b"],
    ) -> None:
        super().__init__()
        self.config = synthesis.config
        self.limit: Tensor = limit
        sample = _Calibration(synthesis, symbols, level)
        unit = sample.latent_tops / LATENT_TOP  # (n,), the value of one unit of each latent
        self.gain = ExactGain(synthesis.gain.table().detach() / unit, limit, LATENT_TOP)
        stream = sample.stream_top / STREAM_TOP
        full = torch.full((len(limit),), float(LATENT_TOP))
        enter, leave = synthesis.enter, synthesis.leave
        deep = self.config.deep
        self.enter = ExactDense(
            enter.weight * unit[:deep] / stream, enter.bias / stream, full[:deep], low=-STREAM_TOP, high=STREAM_TOP
        )
        self.blocks = nn.ModuleList(
            ExactLevelBlock(block, stream, tops)  # type: ignore[arg-type]
            for block, tops in zip(synthesis.blocks, sample.block_tops, strict=True)
        )
        last = sample.last_top / ACTIVATION_TOP
        self.last = LevelIntegers(torch.full((1, 1), 2.0**LAST_SHIFT * stream / last), GAIN_TOP)
        both = torch.cat([leave.weight * last, synthesis.straight.weight * unit], dim=1) * SOFT_CLAMP.steps
        reach = torch.cat([torch.full((leave.in_features,), float(ACTIVATION_TOP)), full])
        self.leave = ExactDense(
            both,
            leave.bias * SOFT_CLAMP.steps,
            reach,
            low=-SOFT_CLAMP.top,
            high=SOFT_CLAMP.top,
            weight_limit=FIRST_WEIGHT_LIMIT,
        )

    def forward(self, symbols: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """The index of every pixel in the table of SOFT_CLAMP. symbols: of all tiles of an image, tile after tile."""
        symbols, level = symbols.reshape(-1, self.config.latents), of_each_tile(level, self.config)
        latents = self.gain(symbols.clamp(-self.limit, self.limit), level)
        h = self.enter(latents[:, : self.config.deep])
        for block in self.blocks:
            h = block(h, level)
        active = _rescale(h * self.last.integers()[0], LAST_SHIFT, 0, ACTIVATION_TOP)
        index: Tensor = self.leave(torch.cat([active, latents], dim=1))
        return joined(index.view(-1, *self.config.tile_shape), self.config)

    def logits(self, symbols: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """What the likelihood takes."""
        return SOFT_CLAMP.logits_of(self.forward(symbols, level))

    def to_network(self) -> ExactNetwork:
        """The exported integers; inputs are the symbols and the level. Raises NotExact."""
        config = self.config
        graph, symbols, level = begin_graph(self.limit.repeat(config.tiles), config.levels)
        if config.tiles > 1:
            symbols = graph.reshape(symbols, *config.grid)
            everywhere = torch.arange(config.levels)[:, None].expand(-1, config.tiles).float()
            level = graph.reshape(graph.lookup(level, everywhere), *config.grid)
        latents = self.gain.build(graph, symbols, level)
        h = graph.exact_dense(self.enter, graph.slice(latents, 0, config.deep))
        for block in self.blocks:
            h = block.build(graph, h, level)  # type: ignore[operator]
        gain = self.last.integers().expand(config.levels, config.units)
        active = graph.rescale(graph.multiply(h, graph.lookup(level, gain)), LAST_SHIFT, 0, ACTIVATION_TOP)
        weight, bias = self.leave.integers()
        of_active, of_latents = weight[:, : config.units], weight[:, config.units :]
        both = graph.add(graph.dense(active, of_active, bias), graph.dense(latents, of_latents, torch.zeros_like(bias)))
        index = graph.rescale(both, self.leave.shift, -SOFT_CLAMP.top, SOFT_CLAMP.top)
        image = graph.shuffle(index, config.tile) if config.tiles > 1 else graph.reshape(index, *config.shape[:2])
        graph.lookup(image, SOFT_CLAMP.table(), -SOFT_CLAMP.top)
        return graph.network()


class _Calibration:
    """Runs the float synthesis on a sample, and records how large everything gets."""

    @torch.no_grad()
    def __init__(self, synthesis: ConditionedSynthesis, y: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> None:
        latents = y * synthesis.gain(level)
        self.latent_tops = latents.abs().amax(dim=0).clamp_min(1e-3) * REACH_MARGIN
        h = synthesis.enter(latents[:, : synthesis.config.deep])
        self.stream_top = float(h.abs().max())
        self.block_tops: list[tuple[float, float]] = []
        for block in synthesis.blocks:
            before = (h * block.gain(level) + block.offset(level)).relu()  # type: ignore[operator]
            inside = block.inner(before).relu()  # type: ignore[operator]
            self.block_tops.append((top_of_all(before), top_of_all(inside)))
            h = block(h, level)
            self.stream_top = max(self.stream_top, float(h.abs().max()))
        self.stream_top *= REACH_MARGIN
        self.last_top = top_of_all(h.relu())
