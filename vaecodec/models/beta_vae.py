"""beta-vae: Higgins et al. 2017, with the paper's convolutional transforms.

objective: distortion + β · rate, both in nats an image
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from vaecodec.models.base import VAE, Posterior
from vaecodec.models.config import ModelConfig
from vaecodec.models.registry import register
from vaecodec.models.transforms import ConvAnalysis, ConvSynthesis


@register("beta-vae")
class BetaVAE(VAE):
    """Encoder and mirrored decoder; what β weighs is the objective's business (vaecodec.training.objective)."""

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
