"""beta-vae-gan: a beta-vae whose decoder is also trained against a discriminator. The objective is our own choice.

    x, x̂ (b, h, w) ─patch─ conv 4×4/2 ─LeakyReLU─ … ─> one logit (b,): is it an image of the data?

The paper names such a model in its references without saying what it minimises.
"""

from __future__ import annotations

import itertools

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vaecodec.families.conv.conv_vae import ConvVAE
from vaecodec.families.registry import register
from vaecodec.recipes.sizes import ModelConfig

SLOPE = 0.2  # of the leaky ReLUs: the generator needs a gradient where the discriminator is sure


@register("beta-vae-gan")
class BetaVAEGAN(ConvVAE):
    """The codec's part; the discriminator is training's alone (vaecodec.families.conv.objective_gan)."""


class Discriminator(nn.Module):
    """As wide as the encoder; spectral norms of 1 keep its slope, and so the generator's gradient, bounded.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks".
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        widths = [config.patch**2, *config.channels]
        layers: list[nn.Module] = [nn.PixelUnshuffle(config.patch)]
        for before, after in itertools.pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)), nn.LeakyReLU(SLOPE)]
        channels, height, width = config.feature_shape
        layers += [nn.Flatten(), spectral_norm(nn.Linear(channels * height * width, 1))]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
        logits: Tensor = self.layers(x[:, None] - 0.5)
        return logits[:, 0]
