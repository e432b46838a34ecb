"""ConvVAE: the paper's convolutional encoder and its mirror, which the families of this folder share.

x (b, h, w) ──ConvAnalysis──> posterior (b, n) ──sample──> y (b, n) ──ConvSynthesis──> logits (b, h, w)
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from vaecodec.layers.base import VAE, Posterior
from vaecodec.layers.transforms import ConvAnalysis, ConvSynthesis
from vaecodec.recipes.sizes import ModelConfig


class ConvVAE(VAE):
    """Encoder and mirrored decoder; what is made of them is the objective's business (vaecodec.recipes.objective)."""

    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = ConvAnalysis(config)
        self.synthesis = ConvSynthesis(config)

    def analyse(self, x: Float[Tensor, "b h w"]) -> Posterior:
        posterior: Posterior = self.analysis(x)
        return posterior

    def synthesise(self, y: Float[Tensor, "b n"]) -> Float[Tensor, "b h w"]:
        logits: Tensor = self.synthesis(y)
        return logits
