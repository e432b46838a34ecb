"""The bars of the families, each with its measured value. Pure.

rows, rotation-*.json, published-*.json --bars--> lines
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.images import DATA
from benchmarks.pages.page import NOT_YET, read
from benchmarks.studies.family_rows import FamilyRow, read_rows
from benchmarks.studies.family_summary import Setting, at_bytes, beta_curve, settings
from benchmarks.studies.published_points import PUBLISHED, REFERENCE_STEPS
from vaecodec.families.conv.config import DecompositionObjective

CAPACITY_NATS = 1.0  # the mean KL's distance from C_max
CAPACITY_SHARE, BITS_A_LATENT, BITS_OF_THE_END = 0.15, 0.25, 3.0  # of the payload around C_max / ln 2
ZERO_SHARE = 0.60


def bars(folder: Path) -> list[str]:
    """A line for each bar and data set."""
    rows = read_rows(folder)
    lines = []
    for data in DATA:
        own = [row for row in rows if row.measured["data"] == data]
        if own:
            measured = (*file_bar(own), *capacity_bar(own), *sparse_bar(own), *deep_bar(settings(own)))
            lines += [f"{data}: {line}" for line in measured]
        else:
            lines.append(f"{data}: {NOT_YET}")
        lines.append(f"{data}: {rotation_bar(read(folder / f'rotation-{data}.json'))}")
    lines += [
        published_bar(data, beta, read(folder / f"published-{data}-beta-{beta:g}.json")) for data, beta in PUBLISHED
    ]
    return lines


def file_bar(rows: Sequence[FamilyRow]) -> Iterator[str]:
    """Every file its model's own reconstruction; every payload within its bound."""
    broken = [row.name for row in rows if not row.measured["files"]["own_reconstruction"]]
    yield (
        f"files of {len(rows)} runs, {rows[0].measured['test_images']:,} images each, decode to the model's own "
        f"reconstruction: {verdict(not broken, broken)}"
    )
    long = [row.name for row in rows if not row.measured["files"]["within_bound"]]
    yield f"payload ≤ 1.02 × information + 4 bits: {verdict(not long, long)}"


def capacity_bar(rows: Sequence[FamilyRow]) -> Iterator[str]:
    """KL at C_max, payload at the rate that it means; a latent that is not written pays nothing for its step."""
    for row in rows:
        if row.measured["family"] != "capacity":
            continue
        wanted, kl = row.measured["knob"], row.measured["float"]["kl_nats"]
        payload, coded = row.measured["files"]["payload_bits"], row.measured["finish"]["coded_latents"]
        rate = wanted / math.log(2) + BITS_A_LATENT * coded + BITS_OF_THE_END
        near = abs(kl - wanted) <= CAPACITY_NATS
        close = abs(payload / rate - 1) <= CAPACITY_SHARE
        yield (
            f"capacity {wanted:g} nats: KL {kl:.2f} nats ({verdict(near)}); payload {payload:.1f} bits for "
            f"{rate:.1f} ± 15 %, {coded} latents ({verdict(close)})"
        )


def sparse_bar(rows: Sequence[FamilyRow]) -> Iterator[str]:
    """Zeros, sparsity and dead latents of the spike-and-slab prior. What is not written costs nothing by the format."""
    vae = next((row.measured["float"]["hoyer"] for row in rows if row.measured["family"] == "vae"), None)
    for row in rows:
        objective = row.origin.config.objective
        if not isinstance(objective, DecompositionObjective) or objective.prior != "spike-and-slab":
            continue
        share, hoyer = row.measured["files"]["zero_share"], row.measured["float"]["hoyer"]
        dead = row.measured["float"]["latents"] - row.measured["finish"]["coded_latents"]
        least = min(row.measured["files"]["latent_bits"], default=0.0)
        zeros = "no latent carries 0.05 bit" if share is None else f"{share:.1%} of the symbols are zero"
        beside = NOT_YET if vae is None else f"{vae:.3f} ({verdict(hoyer > vae)})"
        enough = verdict(share is not None and share >= ZERO_SHARE)
        yield (
            f"spike of {objective.spike_sigma:g} and slab, α {objective.alpha:g}: {zeros} ({enough}); "
            f"Hoyer {hoyer:.3f} for vae's {beside}; dead latents are not written ({dead}); of the written ones the "
            f"least carries {least:.3f} bit"
        )


def deep_bar(found: Sequence[Setting]) -> Iterator[str]:
    """nvae: its bound at β = 1 beside vae's, and its PSNR beside the β-VAE's at the same bytes."""
    vae = next((one for one in found if one.family == "vae"), None)
    curve = beta_curve(found, lambda one: one.psnr_db.mean)
    for one in found:
        if one.family != "nvae":
            continue
        if one.beta == 1 and vae is not None:
            own, beside_vae = one.elbo_nats.mean, vae.elbo_nats.mean
            yield f"nvae, β = 1: ELBO {own:.2f} for vae's {beside_vae:.2f} nats ({verdict(own > beside_vae)})"
        beside = at_bytes(curve, one.file_bytes.mean)
        there = (
            "has no point there" if beside is None else f"there {beside:.2f} dB ({verdict(one.psnr_db.mean > beside)})"
        )
        yield (
            f"nvae, β = {one.beta:g}: {one.psnr_db.mean:.2f} dB at {one.file_bytes.mean:.1f} bytes, the β-VAE {there}"
        )


def rotation_bar(result: Any) -> str:
    """The bound before and after, and the files."""
    if result is None:
        return f"rotated vae: {NOT_YET}"
    files, found = result["files"], result["total_correlation"]
    longer = result["longer_bits"]
    return (
        f"rotated vae: the bound changes by {result['bound']['change_nats']:.3f} nats ({verdict(result['holds'])}); "
        f"total correlation {found['before']['nats']:.1f} → {found['after']['nats']:.1f} nats; information "
        f"{files['before']['information_bits']:.1f} → {files['after']['information_bits']:.1f} bits, so files get "
        f"{'longer' if longer > 0 else 'shorter'} by {abs(longer):.1f} bits at {files['before']['psnr_db']:.2f} → "
        f"{files['after']['psnr_db']:.2f} dB: at unequal PSNR, so that the two rates do not compare"
    )


def published_bar(data: str, beta: float, result: Any) -> str:
    """Our point beside the published one."""
    name = f"{data}, published β = {beta:g}"
    if result is None:
        return f"{name}: {NOT_YET}"
    reached, published = result["reached"], result["published"]
    judged = verdict(result["within_10_per_cent"])
    if not result["within_10_per_cent"] and all(value < 0 for value in result["off"].values()):
        judged += ", since it is below in both"
    return (
        f"{name}: reconstruction {reached['reconstruction_nats']:.1f} for {published['reconstruction_nats']:.1f} nats, "
        f"KL {reached['kl_nats']:.2f} for {published['kl_nats']:.2f}, after {result['steps']:,} of "
        f"{REFERENCE_STEPS[data]:,} steps: within 10 %: {judged}"
    )


def verdict(holds: bool, broken: Sequence[str] = ()) -> str:
    """One word, and what broke it."""
    return "holds" if holds else "MISSED" + (f" by {', '.join(broken)}" if broken else "")
