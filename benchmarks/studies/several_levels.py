"""What five_betas tries beside the conditioned-vae: each image of a step at several levels, and what that needs.

    first steps: the middle level alone ──widen──> every level begins as the middle one is, and all are trained
    image ──blocks that all levels share──> once ──blocks(level), 5 levels──> 5 losses, whose mean is minimised

    table(middle) ─┬──────────────> gain and offset of each block, at every knot
                   └─ · √(β / β(middle)) ─> step, gain and prior of each latent, as reverse water-filling has them

Levels teach each other little once each has an image encoded its own way: trained at all of them from the start, a
model needs as many images for each as separate models would. Begun from one of them, they share what it has learned
(docs/models.md). It is a family of its own, added from outside the package when this module is imported.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vaecodec.errors import ConfigError
from vaecodec.families import add_family
from vaecodec.families.conditioned.config import ConditionedConfig, ConditionedFinish, ConditionedObjective
from vaecodec.families.conditioned.family import finish
from vaecodec.families.conditioned.levels import MIXTURE, LevelTable, open_latents
from vaecodec.families.conditioned.model import (
    ConditionedAnalysis,
    ConditionedSynthesis,
    ConditionedVAE,
    LevelBlock,
    Seen,
)
from vaecodec.families.conditioned.objective import ConditionedTrainable, begin_as_transform_code
from vaecodec.recipes.checks import at_least, at_most
from vaecodec.recipes.config import OptimiserConfig
from vaecodec.recipes.family import Family
from vaecodec.recipes.objective import Losses

LEAST_LOG_SCALE = -2.5  # a prior that begins narrower never widens: symbols other than 0 have no gradient there


@dataclass(frozen=True, slots=True)
class SeveralLevelsConfig(ConditionedConfig):
    """shared_blocks: of the analysis so many, the first, are the same at all levels.

    own_latents: so many, the first, are of the levels down to the β own_until alone, which have no others;
    coarse_latents are beside them. Raises ConfigError.
    """

    shared_blocks: int = 0
    own_latents: int = 0
    own_until: float = 8.0

    def __post_init__(self) -> None:
        ConditionedConfig.__post_init__(self)
        if self.half_planes:
            raise ConfigError("half_planes: a model that draws is not trained at several levels an image")
        if not 0 <= self.own_latents < self.latents:
            raise ConfigError(f"own_latents: expected 0..{self.latents - 1} latents, found {self.own_latents}")
        if not 0 <= self.shared_blocks <= self.encoder_blocks:
            raise ConfigError(f"shared_blocks: expected 0..{self.encoder_blocks} blocks, found {self.shared_blocks}")
        if self.coarse_latents > self.latents - self.own_latents:
            raise ConfigError(
                f"coarse_latents {self.coarse_latents}: expected at most {self.latents - self.own_latents} beside "
                f"{self.own_latents} own ones"
            )


@dataclass(frozen=True, slots=True)
class SeveralLevelsObjective(ConditionedObjective):
    """stem_steps: so many, the first, train the middle level alone; the others begin with what it has learned.

    levels_an_image: at so many levels each image of a batch is coded in a step of training.
    1: every image has a level of its own. More: the grid is cut into so many parts, all images take one level of each.
    """

    levels_an_image: int = 1
    stem_steps: int = 0

    def __post_init__(self) -> None:
        ConditionedObjective.__post_init__(self)
        at_least("levels_an_image", self.levels_an_image, 1)
        at_least("stem_steps", self.stem_steps, 0)


class SharingAnalysis(ConditionedAnalysis):
    """Its first blocks have one gain and one offset for all levels."""

    def __init__(self, config: SeveralLevelsConfig) -> None:
        super().__init__(config)
        self.shared_blocks, units = config.shared_blocks, config.encoder_units
        for block in self.blocks[: self.shared_blocks]:
            assert isinstance(block, LevelBlock)
            block.gain = LevelTable(1, 1, units, first=1.0, last=1.0)
            block.offset = LevelTable(1, 1, units, first=0.0, last=0.0)

    def see(self, x: Float[Tensor, "b h w"], count: int | None = None) -> Seen:
        h, straight = super().see(x, count)
        only = h.new_zeros(1, dtype=torch.long)
        for block in self.blocks[: self.shared_blocks]:
            h = block(h, only)
        return Seen(h, straight)

    @property
    def level_blocks(self) -> Sequence[nn.Module]:
        return list(self.blocks[self.shared_blocks :])


class SeveralLevelsVAE(ConditionedVAE):
    """first: of each level, its first latent."""

    analysis_type = SharingAnalysis
    config: SeveralLevelsConfig
    first: Tensor

    def __init__(self, config: SeveralLevelsConfig) -> None:
        super().__init__(config)
        others = config.latents - config.own_latents
        opened = open_latents(self.betas, config.coarse_latents or others, others, config.opens_at)
        first, end = own_or_opened(self.betas, config.own_latents, config.own_until, opened)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("opened", end, persistent=False)

    @property
    def all_open(self) -> bool:
        return self.config.own_latents == 0 and super().all_open

    def is_open(self, level: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        latents = torch.arange(self.config.latents, device=level.device)
        return super().is_open(level) * (latents >= self.first[level][:, None]).float()


class SeveralLevelsTrainable(ConditionedTrainable):
    """Trains at the middle level, then at several levels an image."""

    config: SeveralLevelsObjective
    model: SeveralLevelsVAE

    def __init__(self, model: SeveralLevelsVAE, config: SeveralLevelsObjective) -> None:
        super().__init__(model, config)
        self.middle_alone = False

    def begin(self, images: npt.NDArray[np.uint8]) -> None:
        """Own latents begin at the first component, and so do the others."""
        n, own = self.model.config.latents, self.model.config.own_latents
        order = torch.cat([torch.arange(own), torch.arange(n - own)])
        synthesis = self.model.synthesis
        assert isinstance(synthesis, ConditionedSynthesis)
        begin_as_transform_code(self.model, synthesis, images, self.config.pixel_sigma, order)

    def enter(self, step: int) -> int:
        """The first config.stem_steps train the middle level alone, then the others join.

        The step at which this began: without a warm-up, what joins ruins within a hundred steps what is learned.
        """
        self.middle_alone = step < self.config.stem_steps
        if step == self.config.stem_steps > 0:
            widen(self.model)
        return 0 if self.middle_alone else self.config.stem_steps

    def forward(self, x: Float[Tensor, "b h w"], beta: float, rng: torch.Generator) -> Losses:
        levels = self._draw_levels(len(x), rng)
        seen = self.model.analysis.see(x, max(self.model.most_open(level) for level in levels))
        return mean_of([self.at_level(x, seen, level, beta, rng) for level in levels])

    def _draw_levels(self, images: int, rng: torch.Generator) -> list[Int[Tensor, " l"]]:
        """A level for each image; or, with several levels an image, one for all of them from each part of the grid."""
        levels, parts = self.model.config.levels, self.config.levels_an_image
        device = self.model.betas.device
        if self.middle_alone:
            return [torch.tensor([middle_level(self.model)], device=device)]
        if parts == 1 or not self.training:
            return [torch.randint(levels, (images,), generator=rng, device=device)]
        edges = [k * levels // parts for k in range(parts + 1)]
        return [torch.randint(*part, (1,), generator=rng, device=device) for part in pairwise(edges)]


def mean_of(losses: Sequence[Losses]) -> Losses:
    """Their means."""
    return Losses(*(sum(getattr(part, name) for part in losses) / len(losses) for name in Losses.__slots__))


def own_or_opened(
    betas: Float[Tensor, " levels"], own: int, own_until: float, opened: Int[Tensor, " levels"]
) -> tuple[Int[Tensor, " levels"], Int[Tensor, " levels"]]:
    """(first, end) of each level's latents: 0 and `own` while β is at least own_until, then own and own + opened."""
    has_own = (betas >= own_until) & (own > 0)
    return torch.where(has_own, 0, own), torch.where(has_own, own, own + opened)


def middle_level(model: SeveralLevelsVAE) -> int:
    """The level that is trained first."""
    return model.config.levels // 2


@torch.no_grad()
def widen(model: SeveralLevelsVAE) -> None:
    """Let every level begin as the middle one is. Latents that it has not opened stay as they began, going straight."""
    synthesis, middle, config = model.synthesis, middle_level(model), model.config
    assert isinstance(synthesis, ConditionedSynthesis)
    first, end = int(model.first[middle]), int(model.opened[middle])
    log_beta = torch.linspace(math.log(config.beta_high), math.log(config.beta_low), config.knots)
    finer = 0.5 * (float(model.betas[middle].log()) - log_beta)[:, None]  # ln of steps(middle) / steps(knot)
    for block in (*model.analysis.blocks, *synthesis.blocks):
        assert isinstance(block, LevelBlock)
        for table in (block.gain, block.offset):
            _set(table, table.table()[min(middle, len(table.basis) - 1)].expand_as(table.knots))  # shared: one level
    _set(model.log_step, model.log_step.table()[middle, first:end] - finer, first)
    _set(synthesis.gain, synthesis.gain.table()[middle, first:end] * (-finer).exp(), first)
    prior, mixed, begin = model.prior, slice(first * MIXTURE, end * MIXTURE), first * MIXTURE
    _set(prior.log_scale, (prior.log_scale.table()[middle, mixed] + finer).clamp_min(LEAST_LOG_SCALE), begin)
    _set(prior.mean, prior.mean.table()[middle, mixed] * finer.exp(), begin)
    _set(prior.weight, prior.weight.table()[middle, mixed].expand(config.knots, -1), begin)
    synthesis.enter.weight[:, end:] = 0


def _set(table: LevelTable, knots: Float[Tensor, "k c"], first: int = 0) -> None:
    """Channels of a table, from `first` on."""
    table.knots[:, first : first + knots.shape[1]] = knots


def agree(sizes: SeveralLevelsConfig, objective: SeveralLevelsObjective, optimiser: OptimiserConfig) -> None:
    """Raise ConfigError where there are fewer levels, or steps, than the objective is to train."""
    at_most("levels_an_image", objective.levels_an_image, sizes.levels)
    at_most("stem_steps", objective.stem_steps, optimiser.steps - 1)


FAMILY = Family(
    name="conditioned-several-levels",
    sizes=SeveralLevelsConfig,
    objective=SeveralLevelsObjective,
    build=SeveralLevelsVAE,
    trainable=lambda model, objective, population: SeveralLevelsTrainable(model, objective),
    finish=finish,
    finishing=ConditionedFinish,
    agree=agree,
)
add_family(FAMILY)
