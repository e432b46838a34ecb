"""From a trained lossless-vae to a model file: tables of the latents, then an integer-exact likelihood of the pixels.

model ──halve──> analysis ──> symbols of the training images ──> tables
                 map, phases, bases ──ExactLikelihood──fine-tune on the symbols──> PixelLikelihood
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaecodec.codec.analysis import AnalysisSession
from vaecodec.data.image_set import ImageSet
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.exact.known_answer import known_rows
from vaecodec.families.lossless.config import LosslessFinish
from vaecodec.families.lossless.exact import ExactLikelihood
from vaecodec.families.lossless.export import export_lossless_analysis
from vaecodec.families.lossless.model import LosslessAnalysis, LosslessVAE
from vaecodec.families.lossless.objective import LosslessTrainable
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.residual import RECTIFIED
from vaecodec.modelfile.lossless_part import LosslessPart
from vaecodec.modelfile.model import Model, lossless_model
from vaecodec.pixels.phases import make_likelihood_answer
from vaecodec.recipes.batches import NOISE_STREAM, all_over, as_images, stream_seed
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.dead_units import cut_dead_units
from vaecodec.recipes.latents import as_floats, carrying_or_first, fine_tune_on_symbols, fit_tables, limit_of
from vaecodec.recipes.onnx_export import LinearParts, halve_weights, round_to_bytes
from vaecodec.recipes.record import training_record

CALIBRATION_IMAGES = 512
CHUNK = 250  # images at once, where nothing is learned

PixelNats = Callable[[Tensor, Tensor], Tensor]  # of latents and pixels: of the float model, or of its exact twin


@dataclass(frozen=True, slots=True)
class ValidationBits:
    """Mean bits of a validation image: its latents under the stored tables, and its pixels in three stages."""

    latents: float
    pixels_float: float
    pixels_exact: float
    pixels_fine_tuned: float
    phases_fine_tuned: tuple[float, ...]


def finish_lossless(
    trainable: LosslessTrainable, config: TrainingConfig, training: ImageSet, validation: ImageSet
) -> Model:
    """The model file's content; raises NotExact where the bound cannot be met."""
    model, how = trainable.model, config.finish
    assert isinstance(how, LosslessFinish)
    model.fold_steps()
    units = cut_units(model.analysis, training.images)
    shrink_weights(model.analysis)
    every = _latents(model, training.images)
    center = np.rint(np.median(every, axis=0)).astype(np.float32)  # whole: so it was rounded in training
    step = np.full_like(center, how.latent_step)
    active = carrying_or_first(Quantizer(center, step).round_to_symbols(every))
    graph = export_lossless_analysis(model, torch.from_numpy(active))
    quantizer = Quantizer(center[active], step[active])
    session = AnalysisSession(graph)
    seen, held_out = (quantizer.round_to_symbols(session(images.images)) for images in (training, validation))
    rng = torch.Generator().manual_seed(stream_seed(NOISE_STREAM, config.seed, 1))
    fitted = fit_tables(seen, held_out, rng)
    meaning = SymbolRange(torch.from_numpy(center), torch.from_numpy(step), torch.from_numpy(active), limit_of(seen))
    chosen = all_over(len(seen), CALIBRATION_IMAGES)
    exact = ExactLikelihood(model, meaning, as_floats(seen[chosen]), torch.from_numpy(training.images[chosen]))
    dequantised = meaning.dequantise(as_floats(held_out))
    first = [
        _phase_bits(model.pixel_nats, dequantised, validation),
        _phase_bits(exact.pixel_nats, as_floats(held_out), validation),
    ]
    fine_tune_on_symbols(exact, exact.mean_nats, config, seen, training.images)
    after = _phase_bits(exact.pixel_nats, as_floats(held_out), validation)
    bits = ValidationBits(
        latents=float(fitted.tables.information_bits(held_out).mean()),
        pixels_float=sum(first[0]),
        pixels_exact=sum(first[1]),
        pixels_fine_tuned=sum(after),
        phases_fine_tuned=after,
    )
    likelihood = exact.to_likelihood()
    answer = make_likelihood_answer(likelihood, known_rows(held_out))
    part = LosslessPart(graph, quantizer, fitted.tables, likelihood, answer)
    about = training_record(config, training)
    about["finish"] = {
        "tables": fitted.made_by,
        "coded_latents": len(active),
        "analysis_units": units,
        "validation_bits": _plain(bits),
    }
    return lossless_model(config.name, config.family, part, about)


@torch.no_grad()
def _latents(model: LosslessVAE, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Latents (N, n) of a whole set."""
    return torch.cat([model.analyse(part) for part in _floats(images)]).numpy()


def cut_units(analysis: LosslessAnalysis, images: npt.NDArray[np.uint8]) -> int:
    """Cut what no training image wakes from the residual stream: most of it, where it is read by a ReLU. Units left."""
    if analysis.layers.reading is RECTIFIED:
        analysis.layers = cut_dead_units(analysis.layers, (analysis.seen(part) for part in _floats(images)))
    return analysis.layers.enter.out_features


def _floats(images: npt.NDArray[np.uint8]) -> Iterator[torch.Tensor]:
    """In 0..1, some at once."""
    for k in range(0, len(images), CHUNK):
        yield as_images(images[k : k + CHUNK])


def shrink_weights(analysis: LosslessAnalysis) -> None:
    """Half floats, and bytes inside the blocks, where most of the weights are; beside moments also for the pixels."""
    halve_weights(analysis)
    if analysis.moments is not None:
        enter = analysis.layers.enter
        parts = LinearParts(enter, enter.in_features - analysis.moments.count)
        round_to_bytes(parts.first)
        analysis.layers.enter = parts  # type: ignore[assignment]  # it is called alike
    for block in analysis.layers.blocks:
        round_to_bytes(block.inner)  # type: ignore[arg-type]
        round_to_bytes(block.outer)  # type: ignore[arg-type]


@torch.no_grad()
def _phase_bits(pixel_nats: PixelNats, y: Tensor, images: ImageSet) -> tuple[float, ...]:
    """Mean bits of an image in each phase."""
    pixels = torch.from_numpy(images.images)
    parts = [pixel_nats(y[k : k + CHUNK], pixels[k : k + CHUNK]) for k in range(0, len(y), CHUNK)]
    return tuple((torch.cat(parts).double().mean(dim=0) / math.log(2)).tolist())


def _plain(bits: ValidationBits) -> dict[str, object]:
    return {**asdict(bits), "phases_fine_tuned": list(bits.phases_fine_tuned)}
