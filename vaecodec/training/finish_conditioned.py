"""From a trained conditioned-vae to a model file: tables level by level, then one integer-exact synthesis for all.

model ──halve──> analysis(level) ──> symbols of each level ──> center, collapsed latents, tables
                 synthesis ──ExactConditionedSynthesis──fine-tune at random levels──> ExactNetwork
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import tables_from_histogram
from vaecodec.models.conditioned import ConditionedVAE
from vaecodec.models.exact_conditioned import ExactConditionedSynthesis
from vaecodec.runtime.analysis import AnalysisSession
from vaecodec.runtime.known_answer import KNOWN_ANSWER_BATCH, make_known_answer
from vaecodec.runtime.model_file import Level, Model
from vaecodec.training.batches import NOISE_STREAM, Batches, stream_seed
from vaecodec.training.conditioned import ConditionedTrainable
from vaecodec.training.config import TrainingConfig
from vaecodec.training.latents import carrying
from vaecodec.training.objective import distortion_nats
from vaecodec.training.onnx_export import export_conditioned_analysis, halve_weights
from vaecodec.training.record import training_record

CALIBRATION_IMAGES = 4096
TABLE_TAIL = 1e-4  # of a latent's symbols may lie outside its table's window, on either side
REACH_OF_SYMBOLS = 1.25  # symbols up to so many times the largest of the training set keep their meaning


@dataclass(frozen=True, slots=True)
class FittedLevel:
    """A level of the model file, and what its symbols say on the validation set."""

    level: Level
    largest: npt.NDArray[np.int32]
    validation_bits: float
    coded_latents: int


def finish_conditioned(
    trainable: ConditionedTrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet
) -> Model:
    """The model file's content; raises NotExact where the bound cannot be met."""
    model = trainable.model
    halve_weights(model)
    graph = export_conditioned_analysis(model)
    session = AnalysisSession(graph)
    fitted = [_fit_level(session, k, float(b), training, validation) for k, b in enumerate(model.betas)]
    centers = torch.from_numpy(np.stack([f.level.quantizer.center for f in fitted]))
    largest = np.max([f.largest for f in fitted], axis=0)
    limit = torch.from_numpy(np.ceil(REACH_OF_SYMBOLS * np.maximum(largest, 1)).astype(np.float32))
    sampler = _SymbolSampler(model, [f.level for f in fitted], training.images, config)
    symbols, level = sampler.draw(0, CALIBRATION_IMAGES)
    exact = ExactConditionedSynthesis(model.synthesis, centers, limit, symbols, level)
    _fine_tune(exact, sampler, config)
    rows = np.column_stack([symbols.numpy(), level.numpy()])
    rows = np.resize(rows, (KNOWN_ANSWER_BATCH, rows.shape[1])).astype(np.int32)
    network = exact.to_network()
    about = training_record(config, training)
    about["finish"] = {
        "tables": "smoothed counts",
        "validation_bits": [f.validation_bits for f in fitted],
        "coded_latents": [f.coded_latents for f in fitted],
    }
    return Model(
        name=config.name,
        family=config.family,
        height=config.model.height,
        width=config.model.width,
        levels=tuple(f.level for f in fitted),
        analysis=graph,
        synthesis=network,
        known_answer=make_known_answer(network, rows),
        about=about,
    )


def _fit_level(
    session: AnalysisSession, number: int, beta: float, training: ImageSet, validation: ImageSet
) -> FittedLevel:
    """Center at the medians; latents that carry nothing at this level are collapsed to their commonest symbol."""
    latents = session(training.images, number)
    center = np.median(latents, axis=0).astype(np.float32)
    quantizer = Quantizer(center, np.ones_like(center))
    symbols = quantizer.round_to_symbols(latents)
    collapsed = np.ones(symbols.shape[1], np.bool_)
    collapsed[carrying(symbols)] = False
    tables = tables_from_histogram(symbols, collapsed=collapsed, tail=TABLE_TAIL)
    held_out = tables.fill_collapsed(quantizer.round_to_symbols(session(validation.images, number)))
    largest = np.abs(np.where(collapsed, tables.offsets, symbols)).max(axis=0).astype(np.int32)
    bits = float(tables.information_bits(held_out).mean())
    return FittedLevel(Level(beta, tables, quantizer), largest, bits, int((~collapsed).sum()))


class _SymbolSampler:
    """Symbols of training images at random levels, as files will hold them."""

    def __init__(
        self, model: ConditionedVAE, levels: list[Level], images: npt.NDArray[np.uint8], config: TrainingConfig
    ) -> None:
        self.model = model
        self.images = images
        self.batches = Batches(images, config.optimiser.batch_size, config.seed)
        self._seed = config.seed
        self._centers = torch.from_numpy(np.stack([level.quantizer.center for level in levels]))
        self._coded = torch.from_numpy(np.stack([level.tables.coded for level in levels]))
        self._modes = torch.from_numpy(np.stack([level.tables.offsets for level in levels])).float()

    def draw(self, step: int, count: int) -> tuple[Float[Tensor, "b n"], Int[Tensor, " b"]]:
        """(symbols, level) of the first `count` training images."""
        rng = self._rng(step)
        return self._symbols(self.images[:count], rng)

    def batch(self, step: int) -> tuple[Float[Tensor, "b n"], Int[Tensor, " b"], Float[Tensor, "b h w"]]:
        """(symbols, level, images in 0..1) of batch `step`."""
        images = self.images[self.batches.chosen(step)]
        symbols, level = self._symbols(images, self._rng(step))
        return symbols, level, torch.from_numpy(images.astype(np.float32) / 255)

    def _rng(self, step: int) -> torch.Generator:
        return torch.Generator().manual_seed(stream_seed(NOISE_STREAM, self._seed, step, 2))

    @torch.no_grad()
    def _symbols(self, images: npt.NDArray[np.uint8], rng: torch.Generator) -> tuple[Tensor, Tensor]:
        level = torch.randint(len(self._centers), (len(images),), generator=rng)
        latents = self.model.analyse(torch.from_numpy(images.astype(np.float32) / 255), level)
        symbols = (latents - self._centers[level]).round()
        return torch.where(self._coded[level], symbols, self._modes[level]), level


def _fine_tune(exact: ExactConditionedSynthesis, sampler: _SymbolSampler, config: TrainingConfig) -> None:
    steps = config.finish.synthesis_steps
    optimiser = torch.optim.Adam(exact.parameters(), lr=config.finish.synthesis_learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    for step in range(steps):
        symbols, level, x = sampler.batch(step)
        distortion = distortion_nats(exact.logits(symbols, level), x, config.objective)
        weighed = (distortion / sampler.model.betas[level]).mean()
        optimiser.zero_grad()
        weighed.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
