"""The analysis of a lossless-vae as an ONNX graph: images to the latents that are coded."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.onnx_export import export_module


class ChosenLatents(nn.Module):
    """(b, h, w) → the coded latents of a lossless-vae (b, n), in steps."""

    def __init__(self, model: LosslessVAE, active: Tensor) -> None:
        super().__init__()
        self.analysis = model.analysis
        self.active = active

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        latents: Tensor = self.analysis(x)
        return latents[:, self.active]


def export_lossless_analysis(model: LosslessVAE, active: Tensor) -> Analysis:
    """As vaecodec.recipes.onnx_export.export_analysis."""
    return export_module(ChosenLatents(model, active), model.config)
