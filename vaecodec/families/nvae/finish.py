"""From a trained nvae to a model file: symbols, the networks of their priors, the integer-exact synthesis.

nvae ──halve──> analysis ──> symbols ─┬─ group 0 ────────────────────────────────────> tables
                                      ├─ PriorNetwork ─ExactPrior─fine-tune──────────> conditional priors
                trunk ────────────────┴─ ExactNVAESynthesis ─fine-tune on the symbols─> synthesis
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vaecodec.arrays import Symbols
from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.groups import GroupCoder
from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import CodingTables, tables_from_histogram
from vaecodec.exact.known_answer import known_rows, make_known_answer
from vaecodec.families.nvae.config import NVAEFinish
from vaecodec.families.nvae.exact import ExactNVAESynthesis
from vaecodec.families.nvae.fit_priors import FittedPrior, fit_priors, prior_bits
from vaecodec.families.nvae.model import NVAE
from vaecodec.families.nvae.objective import NVAETrainable
from vaecodec.families.nvae.prior_networks import shape_counts
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.modelfile.priors import ConditionalPriors, make_conditional_answer
from vaecodec.recipes.batches import all_over
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.finish import mean_distortion_nats, nats_to_goal
from vaecodec.recipes.latents import as_floats, collapsed_latents, fine_tune_on_symbols, limit_of
from vaecodec.recipes.onnx_export import export_analysis, halve_weights
from vaecodec.recipes.record import training_record

CALIBRATION_IMAGES = 1000


def finish_nvae(trainable: NVAETrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet) -> Model:
    """The model file's content; raises NotExact where the bound cannot be met."""
    model, how = trainable.model, config.finish
    assert isinstance(how, NVAEFinish)
    halve_weights(model)
    graph = export_analysis(model, torch.arange(model.config.latents))
    session, quantizer = AnalysisSession(graph), Quantizer.rounding(model.config.latents)
    seen, checked = (quantizer.round_to_symbols(session(images.images)) for images in (training, validation))
    tables = _tables(seen)
    seen, checked = tables.fill_collapsed(seen), tables.fill_collapsed(checked)
    limit = limit_of(seen).float()
    rows = known_rows(checked)
    fitted = fit_priors(model, limit, seen, steps=how.prior_steps, seed=config.seed)
    exact = ExactNVAESynthesis(model, limit, as_floats(seen[all_over(len(seen), CALIBRATION_IMAGES)]))
    held = as_floats(checked)
    distortions = [
        mean_distortion_nats(logits_of, held, validation, config.objective)
        for logits_of in (model.synthesise, exact.logits)
    ]
    nats_of = nats_to_goal(trainable, exact.logits, lambda batch: batch)
    fine_tune_on_symbols(exact, nats_of, config, seen, training.images)
    distortions.append(mean_distortion_nats(exact.logits, held, validation, config.objective))
    network = exact.to_network()
    finished = Model(
        name=config.name,
        family=config.family,
        height=config.model.height,
        width=config.model.width,
        levels=(Level(config.objective.beta, tables, quantizer),),
        analysis=graph,
        synthesis=network,
        known_answer=make_known_answer(network, rows),
        about=training_record(config, training),
        priors=_priors(model, fitted, rows),
    )
    stored = GroupCoder(finished).symbol_bits(checked).mean(axis=0)
    names = ("float_distortion_nats", "before_fine_tuning_nats", "after_fine_tuning_nats")
    finished.about["finish"] = {
        "tables": "smoothed counts; conditional priors",
        "coded_latents": int(tables.coded.sum()),
        "validation_bits": prior_bits(model, fitted, validation, checked, stored),
        "exact_synthesis": dict(zip(names, distortions, strict=True)),
    }
    return finished


def _tables(symbols: Symbols) -> CodingTables:
    """Of every latent by itself: those of the first group are coded with it, the others' say what carries nothing."""
    return tables_from_histogram(symbols, collapsed=collapsed_latents(symbols))


def _priors(model: NVAE, fitted: Sequence[FittedPrior], rows: Symbols) -> ConditionalPriors:
    networks = tuple(each.exact.to_network() for each in fitted)
    answer = make_conditional_answer(networks, rows)
    return ConditionalPriors(model.config.group_sizes, networks, ShapeTable(shape_counts()), answer)
