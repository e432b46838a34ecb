"""ExactDrawnSynthesis: the integer-exact twin of DrawnSynthesis.

    [symbols, 1, …, 1] · factors(level) ─> latents, ±2047 ─ExactHalfPlaneMap─> 0..255 ─Dense─> 4 logit indices ─┐
                                                      pixels <─table─ logit index (h, w) <─Shuffle──────────────┘

The ones make the numbers that stand for the level; a Dense whose last rows have nothing but a bias appends them.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.conditioned.drawn import LEVEL_CHANNELS, SQUARE, DrawnSynthesis
from vaecodec.families.conditioned.exact import ExactGain, begin_graph
from vaecodec.layers.exact.dense import shuffle
from vaecodec.layers.exact.half_planes import ExactHalfPlaneMap
from vaecodec.layers.exact.pixel_scales import SIGMOID
from vaecodec.layers.exact.residual import exact_layer
from vaecodec.layers.exact.symbols import SymbolRange

LATENT_TOP = 2047
LATENT_MARGIN = 1.25  # of what the sample reaches
DRAWN_IMAGES = 512  # of the sample; more maps than these fill the memory


class ExactDrawnSynthesis(nn.Module):
    """Made of a trained DrawnSynthesis.

    limit (n,): larger |symbol| are clamped. symbols, level: a sample for calibration, float (b, n) and int64 (b,).
    """

    limit: Tensor

    @torch.no_grad()
    def __init__(
        self,
        synthesis: DrawnSynthesis,
        limit: Float[Tensor, " n"],
        symbols: Float[Tensor, "b n"],
        level: Int[Tensor, " b"],
    ) -> None:
        super().__init__()
        self.config = synthesis.config
        self.register_buffer("limit", limit, persistent=False)
        factors = synthesis.factors()
        tops = synthesis.latents(symbols, level).abs().amax(dim=0)
        tops[-LEVEL_CHANNELS:] = factors[:, -LEVEL_CHANNELS:].abs().amax(dim=0)
        unit = LATENT_MARGIN * tops.clamp_min(1e-3) / LATENT_TOP  # of each latent
        self.gain = ExactGain(factors / unit, _with_ones(limit), LATENT_TOP)
        reach = torch.full((len(unit),), LATENT_TOP)
        meaning = SymbolRange(torch.zeros_like(unit), unit, torch.arange(len(unit)), reach)
        rows = torch.linspace(0, len(symbols) - 1, min(len(symbols), DRAWN_IMAGES)).long()
        self.map = ExactHalfPlaneMap(synthesis.map, meaning, self._latents(symbols[rows], level[rows]))
        head = synthesis.head
        assert head.bias is not None
        steps = torch.full((SQUARE**2,), 1 / SIGMOID.steps)
        self.head = exact_layer(head.weight, head.bias, self.map.unit, steps, -SIGMOID.top, SIGMOID.top)

    def _latents(self, symbols: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b m"]:
        integers: Tensor = self.gain(_with_ones(symbols.clamp(-self.limit, self.limit)), level)
        return integers

    def forward(self, symbols: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        """The logit index of every pixel."""
        squares = self.head(self.map(self._latents(symbols, level)))
        return shuffle(squares, SQUARE, 0)[..., 0]

    def logits(self, symbols: Float[Tensor, "b n"], level: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        """What the likelihood takes."""
        return SIGMOID.logits_of(self.forward(symbols, level))

    def to_network(self) -> ExactNetwork:
        """The exported integers; inputs are the symbols and the level. Raises NotExact."""
        graph, symbols, level = begin_graph(self.limit, self.config.levels)
        n = len(self.limit)
        appended = graph.dense(symbols, torch.eye(n + LEVEL_CHANNELS, n), _with_ones(torch.zeros(n)))
        drawn = self.map.build(graph, self.gain.build(graph, appended, level))
        index = graph.shuffle(graph.exact_dense(self.head, drawn), SQUARE)
        graph.lookup(index, SIGMOID.table(), -SIGMOID.top)
        return graph.network()


def _with_ones(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch m"]:
    return F.pad(x, (0, LEVEL_CHANNELS), value=1.0)
