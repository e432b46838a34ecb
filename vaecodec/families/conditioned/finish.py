"""From a trained conditioned-vae to a model file: tables level by level, then one integer-exact synthesis for all.

model ──halve──> analysis(level) ──> symbols of each level ──> center, collapsed latents, tables
                 synthesis ──its exact twin──fine-tune at random levels──> ExactNetwork
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecodec.bitstream.limits import MAX_LEVELS_ENTRIES
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import tables_from_histogram
from vaecodec.exact.known_answer import known_rows, make_known_answer
from vaecodec.families.conditioned.config import ConditionedFinish
from vaecodec.families.conditioned.drawn import DrawnSynthesis
from vaecodec.families.conditioned.exact import ExactConditionedSynthesis
from vaecodec.families.conditioned.exact_drawn import ExactDrawnSynthesis
from vaecodec.families.conditioned.export import export_conditioned_analysis
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.families.conditioned.objective import ConditionedTrainable, weight_of_level
from vaecodec.families.conditioned.prune import prune_hidden
from vaecodec.families.conditioned.tiles import of_each_tile
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.recipes.batches import Batches, all_over, stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.descent import fine_tune
from vaecodec.recipes.latents import as_floats, collapsed_latents, limit_of
from vaecodec.recipes.objective import distortion_nats
from vaecodec.recipes.onnx_export import halve_weights, round_to_bytes
from vaecodec.recipes.record import training_record

CALIBRATION_IMAGES = 4096
MAX_ALPHABET = 256  # columns of a table, the escape included, where the tables of all levels may be so many
TABLE_TAIL = 1e-4  # of a latent's symbols may lie outside its table's window, on either side
FILE_OVERHEAD_BYTES = 7.3  # of a stream beyond its information content, rounding to bytes included
FINE_TUNING_STREAM = 11  # of random numbers, beside those of vaecodec.recipes.batches
REACH_OF_SYMBOLS = 1.25  # less than other families': fine levels have symbols of hundreds, and 2^24 bounds the gain

ExactTwin = ExactConditionedSynthesis | ExactDrawnSynthesis


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
    model, how = trainable.model, config.finish
    assert isinstance(how, ConditionedFinish)
    halve_weights(model)
    for layer in (model.analysis.enter, model.analysis.leave):
        round_to_bytes(layer)
    for block in model.analysis.blocks:
        round_to_bytes(block.inner)  # type: ignore[arg-type]
        round_to_bytes(block.outer)  # type: ignore[arg-type]
    graph = export_conditioned_analysis(model)
    session = AnalysisSession(graph)
    counted = training.images[all_over(len(training), how.counted_images)]
    most = min(MAX_ALPHABET, MAX_LEVELS_ENTRIES // (len(model.betas) * model.config.tiles * model.config.latents))
    fitted = [_fit_level(session, k, float(b), counted, validation.images, most) for k, b in enumerate(model.betas)]
    largest = np.max([f.largest for f in fitted], axis=0)
    limit = limit_of(largest.reshape(model.config.tiles, -1), REACH_OF_SYMBOLS).float()
    sampler = _SymbolSampler(session, [f.level for f in fitted], training.images, config)
    symbols, level = sampler.draw(training.images[all_over(len(training), CALIBRATION_IMAGES)], 0)
    exact = _exact_twin(model, limit, symbols, level, how.prune_share)
    _fine_tune(exact, model, sampler, config)
    rows = known_rows(np.column_stack([symbols.numpy(), level.numpy()]))
    network = exact.to_network()
    about = training_record(config, training)
    bits = np.array([f.validation_bits for f in fitted])
    about["finish"] = {
        "tables": "smoothed counts",
        "validation_bits": bits.tolist(),
        "coded_latents": [f.coded_latents for f in fitted],
    }
    default = int(np.abs(bits / 8 + FILE_OVERHEAD_BYTES - how.default_file_bytes).argmin())
    return Model(
        name=config.name,
        family=config.family,
        height=config.model.height,
        width=config.model.width,
        levels=tuple(f.level for f in fitted),
        default_level=default,
        analysis=graph,
        synthesis=network,
        known_answer=make_known_answer(network, rows),
        about=about,
        channels=model.config.channels,
    )


def _exact_twin(
    model: ConditionedVAE,
    limit: Float[Tensor, " n"],
    symbols: Float[Tensor, "b n"],
    level: Int[Tensor, " b"],
    prune_share: float,
) -> ExactTwin:
    symbols, level = symbols.reshape(-1, model.config.latents), of_each_tile(level, model.config)
    if isinstance(model.synthesis, DrawnSynthesis):
        return ExactDrawnSynthesis(model.synthesis, limit, symbols, level)
    if prune_share:
        prune_hidden(model.synthesis, symbols, level, weight_of_level(model, level) / model.betas[level], prune_share)
    return ExactConditionedSynthesis(model.synthesis, limit, symbols, level)


def _fit_level(
    session: AnalysisSession,
    number: int,
    beta: float,
    training: npt.NDArray[np.uint8],
    validation: npt.NDArray[np.uint8],
    max_alphabet: int,
) -> FittedLevel:
    """Center 0, as in training; latents that carry nothing at this level are collapsed to their commonest symbol."""
    latents = session(training, number)
    quantizer = Quantizer.rounding(latents.shape[1])
    symbols = quantizer.round_to_symbols(latents)
    collapsed = collapsed_latents(symbols)
    tables = tables_from_histogram(symbols, collapsed=collapsed, tail=TABLE_TAIL, max_alphabet=max_alphabet)
    held_out = tables.fill_collapsed(quantizer.round_to_symbols(session(validation, number)))
    largest = np.abs(np.where(collapsed, tables.offsets, symbols)).max(axis=0).astype(np.int32)
    bits = float(tables.information_bits(held_out).mean())
    return FittedLevel(Level(beta, tables, quantizer), largest, bits, int((~collapsed).sum()))


class _SymbolSampler:
    """Symbols of training images at random levels, as files will hold them."""

    def __init__(
        self, session: AnalysisSession, levels: list[Level], images: npt.NDArray[np.uint8], config: TrainingConfig
    ) -> None:
        self._session = session
        chosen = config.optimiser
        shift_pixels = 0 if chosen.unmoved_steps else chosen.shift_pixels  # as training ended
        self._batches = Batches(images, chosen.batch_size, config.seed, shift_pixels=shift_pixels)
        self._seed = config.seed
        self._coded = np.stack([level.tables.coded for level in levels])
        self._modes = np.stack([level.tables.offsets for level in levels])

    def draw(self, images: npt.NDArray[np.uint8], step: int) -> tuple[Float[Tensor, "b n"], Int[Tensor, " b"]]:
        """(symbols, level) of images (b, h, w); `step` decides the levels."""
        rng = np.random.default_rng(stream_seed(FINE_TUNING_STREAM, self._seed, step))
        level = rng.integers(len(self._coded), size=len(images))
        symbols = np.rint(self._session(images, level)).astype(np.int32)
        symbols = np.where(self._coded[level], symbols, self._modes[level])
        return as_floats(symbols), torch.from_numpy(level)

    def batch(self, step: int) -> tuple[Float[Tensor, "b n"], Int[Tensor, " b"], Float[Tensor, "b ..."]]:
        """(symbols, level, images in 0..1) of batch `step`."""
        x = self._batches[step]
        symbols, level = self.draw((x * 255).round().to(torch.uint8).numpy(), step)
        return symbols, level, x


def _fine_tune(exact: ExactTwin, model: ConditionedVAE, sampler: _SymbolSampler, config: TrainingConfig) -> None:
    def nats_of(step: int) -> Tensor:
        symbols, level, x = sampler.batch(step)
        distortion = distortion_nats(exact.logits(symbols, level), x, config.objective)
        return (weight_of_level(model, level) * distortion / model.betas[level]).mean()

    fine_tune(exact, nats_of, config.finish)
