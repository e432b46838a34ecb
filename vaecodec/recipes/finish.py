"""From a trained model to a model file: quantise, fit the tables, make the synthesis integer-exact, fine-tune it.

Trainable ──halve──> analysis ──> symbols ──> tables
                     synthesis ──ExactSynthesis──fine-tune on the symbols──> ExactNetwork
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaecodec.codec.analysis import AnalysisSession
from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import tables_from_histogram
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH, make_known_answer
from vaecodec.families.hfvae.layout import FactorisedLayout, JointLayout
from vaecodec.families.hfvae.model import HFVAE
from vaecodec.layers.base import VAE
from vaecodec.layers.exact.synthesis import ExactSynthesis, SymbolRange
from vaecodec.layers.transforms import ConvSynthesis
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.recipes.batches import NOISE_STREAM, Batches, all_over, stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.descent import descend
from vaecodec.recipes.latents import FittedTables, Latents, Symbols, make_quantizer, posteriors
from vaecodec.recipes.layout import FlatLayout, Layout
from vaecodec.recipes.objective import Trainable, distortion_nats
from vaecodec.recipes.onnx_export import halve_weights
from vaecodec.recipes.record import training_record

CALIBRATION_IMAGES = 2000
REACH_OF_SYMBOLS = 1.5  # symbols up to so many times the largest of the training set keep their meaning


@dataclass(frozen=True, slots=True)
class Trial:
    """One step multiplier on the validation set: its rate and distortion, and β · rate + distortion in nats."""

    multiplier: float
    rate_bits: float
    distortion_nats: float
    objective_nats: float


def finish(trainable: Trainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content for a trained model; raises NotExact where the bound cannot be met."""
    model = trainable.model
    halve_weights(model)
    rng = torch.Generator().manual_seed(stream_seed(NOISE_STREAM, config.seed, 1))
    seen, held_out = posteriors(model, training.images), posteriors(model, validation.images)
    quantizer, trials = _choose_quantizer(trainable, config, seen, held_out, validation)
    layout = layout_of(model, quantizer.round_to_symbols(seen.mean))
    graph, coded = layout.export_analysis(model, quantizer), layout.quantizer(quantizer)
    symbols, checked = (_symbols(graph, coded, images.images) for images in (training, validation))
    fitted = layout.fit_tables(symbols, checked, rng)
    meaning = _meaning(quantizer, layout, symbols)
    exact = _exact_synthesis(model, meaning, layout.plain(symbols[all_over(len(symbols), CALIBRATION_IMAGES)]))
    before = _exact_distortion(exact, layout.plain(checked), validation, config)
    _fine_tune(exact, trainable, config, meaning, layout.plain(symbols), training.images)
    network = layout.to_network(exact)
    rows = np.resize(checked, (KNOWN_ANSWER_BATCH, symbols.shape[1])).astype(np.int32)
    about = training_record(config, training)
    about["finish"] = _finishing_record(trials, fitted)
    about["finish"]["exact_synthesis"] = {
        "float_distortion_nats": _float_distortion(trainable, quantizer, held_out, validation, config),
        "before_fine_tuning_nats": before,
        "after_fine_tuning_nats": _exact_distortion(exact, layout.plain(checked), validation, config),
    }
    return Model(
        name=config.name,
        family=config.family,
        height=config.model.height,
        width=config.model.width,
        levels=(Level(config.objective.beta, fitted.tables, coded),),
        analysis=graph,
        synthesis=network,
        known_answer=make_known_answer(network, rows),
        about=about,
    )


def _choose_quantizer(
    trainable: Trainable, config: TrainingConfig, seen: Latents, held_out: Latents, validation: ImageSet
) -> tuple[Quantizer, list[Trial]]:
    """The multiplier with the lowest validation objective; with uniform noise the step is 1 and nothing is chosen.

    What an objective makes of rate and distortion is the family's own business (Trainable.judge).
    """
    if config.objective.rate == "uniform-noise":
        return make_quantizer(seen, None), []
    quantizers = {m: make_quantizer(seen, m) for m in config.finish.step_multipliers}
    trials = []
    for multiplier, quantizer in quantizers.items():
        quantised = quantizer.round_to_symbols(seen.mean)
        layout = layout_of(trainable.model, quantised)
        tables = tables_from_histogram(layout.coded(quantised))
        checked = layout.coded(quantizer.round_to_symbols(held_out.mean))
        bits = float(tables.information_bits(checked).mean())
        distortion = _float_distortion(trainable, quantizer, held_out, validation, config)
        objective = trainable.judge(distortion, bits * math.log(2), tables.n)
        trials.append(Trial(multiplier, bits, distortion, objective))
    best = min(trials, key=lambda trial: trial.objective_nats)
    return quantizers[best.multiplier], trials


@torch.no_grad()
def _float_distortion(
    trainable: Trainable, quantizer: Quantizer, latents: Latents, images: ImageSet, config: TrainingConfig
) -> float:
    """Nats an image of the float synthesis on quantised latents."""
    y_hat = torch.from_numpy(quantizer.dequantise(quantizer.round_to_symbols(latents.mean)))
    total = 0.0
    for start in range(0, len(y_hat), 500):
        logits = trainable.model.synthesise(y_hat[start : start + 500])
        x = _as_tensor(images.images[start : start + 500])
        total += float(distortion_nats(logits, x, config.objective).sum())
    return total / len(y_hat)


def _symbols(graph: bytes, quantizer: Quantizer, images: npt.NDArray[np.uint8]) -> Symbols:
    """What the stored analysis gives: the symbols that files will hold."""
    return quantizer.round_to_symbols(AnalysisSession(graph)(images))


def layout_of(model: VAE, quantised: Symbols) -> Layout:
    """How the model's latents are coded; quantised (N, latents): those of the training images."""
    if not isinstance(model, HFVAE):
        return FlatLayout(quantised)
    if model.config.joint:
        return JointLayout(model.config.categories, model.config.group_sizes, quantised)
    return FactorisedLayout(model.config.categories, quantised)


def _meaning(quantizer: Quantizer, layout: Layout, symbols: Symbols) -> SymbolRange:
    limit = np.ceil(REACH_OF_SYMBOLS * np.abs(layout.plain(symbols)).max(axis=0, initial=1)).astype(np.int64)
    parts = (quantizer.center, quantizer.step, layout.used, limit)
    return SymbolRange(*(torch.from_numpy(part) for part in parts))


def _exact_synthesis(model: VAE, meaning: SymbolRange, plain: Symbols) -> ExactSynthesis:
    synthesis = model.synthesis
    assert isinstance(synthesis, ConvSynthesis)
    return ExactSynthesis(synthesis, torch.from_numpy(plain.astype(np.float32)), meaning)


def _fine_tune(
    exact: ExactSynthesis,
    trainable: Trainable,
    config: TrainingConfig,
    meaning: SymbolRange,
    plain: Symbols,
    images: npt.NDArray[np.uint8],
) -> None:
    """Train the integer layers on what they will see: the symbols of the training images."""
    order = Batches(images, config.optimiser.batch_size, config.seed)

    def nats_of(step: int) -> Tensor:
        chosen = order.chosen(step)
        batch = torch.from_numpy(plain[chosen].astype(np.float32))
        with torch.no_grad():
            wanted = trainable.goal(_as_tensor(images[chosen]), meaning.dequantise(batch))
        return distortion_nats(exact.logits(batch), wanted, config.objective).mean()

    how = config.finish
    descend(exact, nats_of, steps=how.synthesis_steps, learning_rate=how.synthesis_learning_rate)


@torch.no_grad()
def _exact_distortion(exact: ExactSynthesis, symbols: Symbols, images: ImageSet, config: TrainingConfig) -> float:
    total = 0.0
    for start in range(0, len(symbols), 500):
        logits = exact.logits(torch.from_numpy(symbols[start : start + 500].astype(np.float32)))
        total += float(distortion_nats(logits, _as_tensor(images.images[start : start + 500]), config.objective).sum())
    return total / len(symbols)


def _as_tensor(images: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images.astype(np.float32) / 255)


def _finishing_record(trials: list[Trial], fitted: FittedTables) -> dict[str, Any]:
    return {
        "coded_latents": int(fitted.tables.coded.sum()),
        "step_trials": [{name: getattr(trial, name) for name in Trial.__slots__} for trial in trials],
        "tables": fitted.made_by,
        "validation_bits_learned_prior": fitted.learned_bits,
        "validation_bits_smoothed_counts": fitted.counts_bits,
    }
