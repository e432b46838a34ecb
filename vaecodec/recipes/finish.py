"""From a trained model to a model file: quantise, fit the tables, make the synthesis integer-exact, fine-tune it.

Trainable ──halve──> analysis ──> symbols ──> tables
                     synthesis ──ExactSynthesis──fine-tune on the symbols──> ExactNetwork
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vaecodec.arrays import Symbols
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import tables_from_histogram
from vaecodec.exact.known_answer import known_rows, make_known_answer
from vaecodec.layers.base import VAE
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.exact.synthesis import ExactSynthesis
from vaecodec.layers.transforms import ConvSynthesis
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.recipes.batches import NOISE_STREAM, all_over, as_images, stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.latents import (
    FittedTables,
    Latents,
    as_floats,
    fine_tune_on_symbols,
    limit_of,
    make_quantizer,
    posteriors,
)
from vaecodec.recipes.objective import Trainable, distortion_nats
from vaecodec.recipes.objective_config import ObjectiveConfig
from vaecodec.recipes.onnx_export import halve_weights
from vaecodec.recipes.record import training_record
from vaecodec.recipes.symbol_layout import FlatLayout, SymbolLayout

CALIBRATION_IMAGES = 2000
CHUNK = 500  # images at once, where nothing is learned

LayoutOf = Callable[[Symbols], SymbolLayout]  # of the quantised latents (N, latents) of the training images


@dataclass(frozen=True, slots=True)
class Trial:
    """One step multiplier on the validation set: its rate and distortion, and β · rate + distortion in nats."""

    multiplier: float
    rate_bits: float
    distortion_nats: float
    objective_nats: float


def finish(
    trainable: Trainable,
    config: TrainingConfig,
    training: ImageSet,
    validation: ImageSet,
    layout_of: LayoutOf | None = None,
) -> Model:
    """The model file's content for a trained model; raises NotExact where the bound cannot be met.

    layout_of: how the latents are coded; None: one symbol for each that carries anything.
    """
    model, layout_of = trainable.model, layout_of or partial(FlatLayout, trainable.model)
    halve_weights(model)
    rng = torch.Generator().manual_seed(stream_seed(NOISE_STREAM, config.seed, 1))
    seen, held_out = posteriors(model, training.images), posteriors(model, validation.images)
    quantizer, trials = _choose_quantizer(trainable, config, seen, held_out, validation, layout_of)
    layout = layout_of(quantizer.round_to_symbols(seen.mean))
    graph, coded = layout.export_analysis(quantizer), layout.quantizer(quantizer)
    symbols, checked = (_symbols(graph, coded, images.images) for images in (training, validation))
    fitted = layout.fit_tables(symbols, checked, rng)
    meaning = _meaning(quantizer, layout, symbols)
    exact = _exact_synthesis(model, meaning, layout.plain(symbols[all_over(len(symbols), CALIBRATION_IMAGES)]))
    held = as_floats(layout.plain(checked))
    before = mean_distortion_nats(exact.logits, held, validation, config.objective)
    nats_of = nats_to_goal(trainable, exact.logits, meaning.dequantise)
    fine_tune_on_symbols(exact, nats_of, config, layout.plain(symbols), training.images)
    network = layout.to_network(exact)
    rows = known_rows(checked)
    about = training_record(config, training)
    about["finish"] = _finishing_record(trials, fitted)
    about["finish"]["exact_synthesis"] = {
        "float_distortion_nats": _float_distortion(trainable, quantizer, held_out, validation, config),
        "before_fine_tuning_nats": before,
        "after_fine_tuning_nats": mean_distortion_nats(exact.logits, held, validation, config.objective),
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
    trainable: Trainable,
    config: TrainingConfig,
    seen: Latents,
    held_out: Latents,
    validation: ImageSet,
    layout_of: LayoutOf,
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
        layout = layout_of(quantised)
        tables = tables_from_histogram(layout.coded(quantised))
        checked = layout.coded(quantizer.round_to_symbols(held_out.mean))
        bits = float(tables.information_bits(checked).mean())
        distortion = _float_distortion(trainable, quantizer, held_out, validation, config)
        objective = trainable.judge(distortion, bits * math.log(2), tables.n)
        trials.append(Trial(multiplier, bits, distortion, objective))
    best = min(trials, key=lambda trial: trial.objective_nats)
    return quantizers[best.multiplier], trials


def _float_distortion(
    trainable: Trainable, quantizer: Quantizer, latents: Latents, images: ImageSet, config: TrainingConfig
) -> float:
    """Nats an image of the float synthesis on quantised latents."""
    y_hat = torch.from_numpy(quantizer.dequantise(quantizer.round_to_symbols(latents.mean)))
    return mean_distortion_nats(trainable.model.synthesise, y_hat, images, config.objective)


@torch.no_grad()
def mean_distortion_nats(
    logits_of: Callable[[Tensor], Tensor], y: Float[Tensor, "N n"], images: ImageSet, objective: ObjectiveConfig
) -> float:
    """Mean over images of the distortion of a synthesis, float or exact, at latents or symbols y."""
    total = 0.0
    for start in range(0, len(y), CHUNK):
        x = as_images(images.images[start : start + CHUNK])
        total += float(distortion_nats(logits_of(y[start : start + CHUNK]), x, objective).sum())
    return total / len(y)


def _symbols(graph: Analysis, quantizer: Quantizer, images: npt.NDArray[np.uint8]) -> Symbols:
    """What the stored analysis gives: the symbols that files will hold."""
    return quantizer.round_to_symbols(AnalysisSession(graph)(images))


def _meaning(quantizer: Quantizer, layout: SymbolLayout, symbols: Symbols) -> SymbolRange:
    center, step, used = map(torch.from_numpy, (quantizer.center, quantizer.step, layout.used))
    return SymbolRange(center, step, used, limit_of(layout.plain(symbols)))


def _exact_synthesis(model: VAE, meaning: SymbolRange, plain: Symbols) -> ExactSynthesis:
    synthesis = model.synthesis
    assert isinstance(synthesis, ConvSynthesis)
    return ExactSynthesis(synthesis, as_floats(plain), meaning)


def nats_to_goal(
    trainable: Trainable, logits_of: Callable[[Tensor], Tensor], latents_of: Callable[[Tensor], Tensor]
) -> Callable[[Tensor, Tensor], Tensor]:
    """What the fine-tuning of an exact synthesis minimises: its mean distortion to what the trainable's goal is.

    logits_of, latents_of: of symbols (b, n), by the exact synthesis, and for the float one.
    """

    def nats_of(symbols: Float[Tensor, "b n"], pixels: UInt8[Tensor, "b h w"]) -> Tensor:
        with torch.no_grad():
            wanted = trainable.goal(pixels.float() / 255, latents_of(symbols))
        return distortion_nats(logits_of(symbols), wanted, trainable.config).mean()

    return nats_of


def _finishing_record(trials: list[Trial], fitted: FittedTables) -> dict[str, Any]:
    return {
        "coded_latents": int(fitted.tables.coded.sum()),
        "step_trials": [{name: getattr(trial, name) for name in Trial.__slots__} for trial in trials],
        "tables": fitted.made_by,
        "validation_bits_learned_prior": fitted.learned_bits,
        "validation_bits_smoothed_counts": fitted.counts_bits,
    }
