"""The published points and ours, as a section of docs/families.md. Pure.

results/published-*.json --section--> Markdown
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.images import DATA
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET, Result, read
from benchmarks.studies.published_points import BETAS, REFERENCE_STEPS

CURVE_SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the curve's points that are shown
HEAD = """VAE and β-VAE as Dubois et al. 2019 (disentangling-vae) published them, in nats an image over the training
set, and what `python -m benchmarks.published` reaches with their network, pictures, loss and batches. Both parts below
the published ones are a better bound. In the last columns are images that were not trained on: MNIST's test set, and
the real dSprites, where training sees all 737,280 drawn."""
POINT_HEAD = (
    "",
    "reconstruction",
    "published",
    "off",
    "KL",
    "published",
    "off",
    "steps",
    "of the reference's",
    "reconstruction, other images",
    "KL, other images",
)


def section(folder: Path) -> str:
    """All points, and each data set's curve against steps."""
    found = {(data, beta): read(folder / f"published-{data}-beta-{beta:g}.json") for data in DATA for beta in BETAS}
    parts = [HEAD, markdown(POINT_HEAD, [point_row(*key, result) for key, result in found.items()])]
    hardware = sorted({trained_on(result) for result in found.values() if result is not None})
    parts += [f"Trained on: {', '.join(hardware)}."] if hardware else []
    for data in DATA:
        curves = [result["curve"] for beta in BETAS if (result := found[data, beta]) is not None]
        if len(curves) == len(BETAS):
            parts.append(f"{data}, against steps, over 2,000 evenly spaced images of the training set:")
            parts.append(curve_table(curves))
    return "\n\n".join(parts)


def point_row(data: str, beta: float, result: Result | None) -> Sequence[str]:
    """Our point beside the published one."""
    name = f"{data}, β = {beta:g}"
    if result is None:
        return (name, NOT_YET, *[""] * (len(POINT_HEAD) - 2))
    reached, published, off = result["reached"], result["published"], result["off"]
    other = result["test_set" if data == "mnist" else "real_images"]
    return (
        name,
        *(f"{point['reconstruction_nats']:.1f}" for point in (reached, published)),
        f"{off['reconstruction_nats']:+.1%}",
        *(f"{point['kl_nats']:.2f}" for point in (reached, published)),
        f"{off['kl_nats']:+.1%}",
        f"{result['steps']:,}",
        f"{result['steps'] / REFERENCE_STEPS[data]:.0%}",
        f"{other['reconstruction_nats']:.1f}",
        f"{other['kl_nats']:.2f}",
    )


def trained_on(result: Result) -> str:
    """The device, and torch's version where it is another than the measurement's."""
    made = result["trained_on"]
    return made if isinstance(made, str) else f"{made['device']}, torch {made['torch']}"


def curve_table(curves: Sequence[Sequence[dict[str, Any]]]) -> str:
    """Reconstruction and KL of each β at the same steps."""
    head = ["steps", *(f"{part}, β = {beta:g}" for beta in BETAS for part in ("reconstruction", "KL"))]
    last = min(map(len, curves)) - 1
    rows = []
    for index in sorted({round(share * last) for share in CURVE_SHARES}):
        points = [curve[index] for curve in curves]
        parts = [(f"{p['validation_distortion_nats']:.1f}", f"{p['validation_rate_nats']:.2f}") for p in points]
        rows.append((f"{points[0]['step']:,}", *(value for pair in parts for value in pair)))
    return markdown(head, rows)
