"""The network of the published points: Burgess et al. 2018, as the reference implementations have it.

x ─ conv 4×4/2, 32 wide, ReLU, three times (32×32) or four (64×64) ─ 256 ─ 256 ─ two heads of 10 ─ and its mirror

It is here to be compared with published numbers, and is no family of the codec.
"""

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.data import ImageSet
from vaecodec.families import add_family
from vaecodec.layers.base import LOG_VARIANCE_RANGE, VAE, Posterior
from vaecodec.modelfile.model import Model
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.family import Family
from vaecodec.recipes.objective import Trainable
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.sizes import ModelConfig

REFERENCE_FAMILY = "burgess-reference"


class ReferenceVAE(VAE):
    """Two fully connected layers on each side, where the families here have one."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        channels, height, width = config.feature_shape
        flat = channels * height * width
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise((1, *config.channels)):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.encoder = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(flat, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
        )
        self.heads = nn.Linear(config.hidden, 2 * config.latents)
        mirror: list[nn.Module] = []
        for before, after in itertools.pairwise((*reversed(config.channels), 1)):
            mirror += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
        self.decoder = nn.Sequential(
            nn.Linear(config.latents, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, flat),
            nn.Unflatten(1, (channels, height, width)),
            *mirror,
        )

    def analyse(self, x: Float[Tensor, "b h w"]) -> Posterior:
        mean, log_variance = self.heads(self.encoder(x[:, None])).chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(*LOG_VARIANCE_RANGE))

    def synthesise(self, y: Float[Tensor, "b m"]) -> Float[Tensor, "b h w"]:
        logits: Tensor = self.decoder(y)
        return logits[:, 0]


def _finish(trainable: Trainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    raise NotImplementedError(f"{REFERENCE_FAMILY} is measured as it was trained: it becomes no model file")


add_family(
    Family(
        name=REFERENCE_FAMILY,
        sizes=ModelConfig,
        objective=ObjectiveConfig,
        build=ReferenceVAE,
        trainable=lambda model, objective, population: Trainable(model, objective),
        finish=_finish,
    )
)
