"""The analysis of a conditioned-vae as an ONNX graph: images and levels to latents."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.onnx_export import export_graph
from vaecodec.recipes.pack_analysis import FINE_STEPS


class LatentsAtLevel(nn.Module):
    """(b, h, w), level (b,) → the latents of a conditioned-vae (b, n), in steps; 0 where not opened."""

    def __init__(self, model: ConditionedVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Float[Tensor, "b h w"], level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        return self.model.analyse_open(x, level)


def export_conditioned_analysis(model: ConditionedVAE) -> Analysis:
    """As vaecodec.recipes.onnx_export.export_analysis, with a second input, int64 (batch,): the level."""
    images = torch.zeros(2, model.config.height, model.config.width)
    examples = {"images": images, "level": torch.zeros(2, dtype=torch.int64)}
    # Folded, the tables of 64 levels would be in the file.
    return export_graph(LatentsAtLevel(model), examples, fold=False, steps=FINE_STEPS)
