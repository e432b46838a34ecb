"""Figures 1 and 2 of the paper: the system as a block diagram, and how it comes about, both read from a model file.

model ──geometry, networks, tables──> figure 1: image → latents → symbols → file → image
      ──its training record─────────> figure 2: data → training → finishing → model file → files that are measured
"""

from typing import Any

from vaecodec.evaluation.figures.diagram import Arrow, Box, Diagram
from vaecodec.evaluation.figures.subject import Sources
from vaecodec.modelfile.model import Model

UNKNOWN = "not recorded"


def system(sources: Sources) -> Diagram:
    """Figure 1, of the first subject's model at its level."""
    subject = sources.need_subjects()[0]
    model, level = subject.codec.model, subject.codec.model.levels[subject.level]
    coded, alphabet = int(level.tables.coded.sum()), level.tables.alphabet
    shape = "×".join(str(side) for side in model.shape)
    steps = level.quantizer.step[level.tables.coded]
    width = f"{steps.min():.3g}" if steps.min() == steps.max() else f"{steps.min():.3g} … {steps.max():.3g}"
    kinds = [type(op).__name__ for op in model.synthesis.ops]
    prior = f"{len(model.priors.places)} groups" if model.priors is not None else "one group"
    boxes = (
        Box("image", "image x", (f"{shape} uint8",), 0, 0, shaded=True),
        Box("analysis", "analysis g_a (encoder)", (_network(model), "ONNX, float32: μ"), 1, 0),
        Box("latents", "latents y", (f"{model.latents} means", f"{coded} are coded"), 2, 0, shaded=True),
        Box("quantizer", "quantizer", (f"steps {width}", "round((y − center) / step)"), 3, 0),
        Box("symbols", "symbols ŷ", (f"{coded} whole numbers",), 3, 1, shaded=True),
        Box("coder", "range coder", (f"{coded} × {alphabet} integer counts", f"prior in {prior}"), 2, 1),
        Box("file", "file", ("header and check", "and payload"), 1, 1, shaded=True),
        Box("symbols2", "symbols ŷ", ("the same",), 2, 2, shaded=True),
        Box("synthesis", "synthesis g_s (decoder)", (f"{len(kinds)} integer operations", "exact everywhere"), 1, 2),
        Box("decoded", "image x̂", (f"{shape} uint8",), 0, 2, shaded=True),
    )
    arrows = (
        Arrow("image", "analysis"),
        Arrow("analysis", "latents"),
        Arrow("latents", "quantizer"),
        Arrow("quantizer", "symbols"),
        Arrow("symbols", "coder", "−log₂ P bits"),
        Arrow("coder", "file"),
        Arrow("file", "symbols2", "decoder"),
        Arrow("symbols2", "synthesis"),
        Arrow("synthesis", "decoded"),
    )
    note = "The paper draws a sample of N(μ, σ²) between the two networks: so it is in training. Files hold rounded μ."
    return Diagram(f"{model.name}: {model.family}, β {level.beta:g}", boxes, arrows, note)


def _network(model: Model) -> str:
    """The sizes of its layers, as far as its record tells them."""
    found = model.about.get("config", {}).get("model", {})
    sizes = {name: found[name] for name in ("channels", "hidden", "units", "widths", "blocks") if name in found}
    return ", ".join(f"{name} {_text(value)}" for name, value in sizes.items()) or UNKNOWN


def _text(value: Any) -> str:
    return " ".join(str(part) for part in value) if isinstance(value, list) else f"{value:g}"


def method(sources: Sources) -> Diagram:
    """Figure 2, of the first subject's model: its training record as a chain of steps."""
    model = sources.need_subjects()[0].codec.model
    config, data = model.about.get("config", {}), model.about.get("data", {})
    objective, optimiser = config.get("objective", {}), config.get("optimiser", {})
    finish = model.about.get("finish", {})
    images = f"{data['images']:,} images" if "images" in data else UNKNOWN
    betas = [level.beta for level in model.levels]
    beta = f"β {betas[0]:g}" if len(betas) == 1 else f"β {max(betas):g} … {min(betas):g}, {len(betas)} levels"
    trials = finish.get("step_trials", [])
    boxes = (
        Box("data", "images", (str(data.get("source", UNKNOWN)), images), 0, 0, shaded=True),
        Box(
            "training",
            "training",
            (f"{objective.get('likelihood', UNKNOWN)} likelihood + {beta}", _steps(optimiser)),
            1,
            0,
        ),
        Box("finish", "finishing", (f"{len(trials)} steps tried", "synthesis made integer-exact"), 2, 0),
        Box("model", "model file", (model.name, f"fingerprint {model.fingerprint.hex()[:8]}"), 2, 1, shaded=True),
        Box("files", "files of test images", ("bytes on disk, PSNR",), 1, 1),
        Box("latents", "latents of images", ("metrics, null, bits",), 1, 2),
        Box("report", "report", ("claims and verdicts",), 0, 1.5, shaded=True),
    )
    arrows = (
        Arrow("data", "training"),
        Arrow("training", "finish", "validation"),
        Arrow("finish", "model"),
        Arrow("model", "files"),
        Arrow("model", "latents"),
        Arrow("files", "report"),
        Arrow("latents", "report"),
    )
    note = "Settings are chosen on validation images; test images are looked at once."
    return Diagram(f"How {model.name} was made", boxes, arrows, note)


def _steps(optimiser: dict[str, Any]) -> str:
    if "steps" not in optimiser:
        return UNKNOWN
    return f"{optimiser['steps']:,} steps of {optimiser.get('batch_size', '?')} images"
