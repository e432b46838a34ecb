"""The analysis of a conditioned-vae as an ONNX graph: images and levels to latents."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.tiles import cut, of_each_tile
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.onnx_export import export_graph
from vaecodec.recipes.pack_analysis import FINE_STEPS


class LatentsAtLevel(nn.Module):
    """(b, h, w) or (b, h, w, 3), level (b,) → the latents of a conditioned-vae (b, n), in steps; 0 where not opened."""

    def __init__(self, model: ConditionedVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Float[Tensor, "b ..."], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        config = self.model.config
        latents = self.model.analyse_open(cut(x, config), of_each_tile(level, config))
        return latents if config.tiles == 1 else latents.reshape(-1, config.tiles * config.latents)


def export_conditioned_analysis(model: ConditionedVAE) -> Analysis:
    """As vaecodec.recipes.onnx_export.export_analysis, with a second input, int64 (batch,): the level."""
    images = torch.zeros(2, *model.config.shape)
    examples = {"images": images, "level": torch.zeros(2, dtype=torch.int64)}
    # Folded, the tables of 64 levels would be in the file.
    return export_graph(LatentsAtLevel(model), examples, fold=False, steps=FINE_STEPS)
