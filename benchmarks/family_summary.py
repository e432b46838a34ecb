"""What is concluded from the families' rows: settings with their seeds together, equal rates, the tuned β. Pure.

rows --settings--> Setting (means over seeds) --at_bytes(curve)--> PSNR at the same bytes      --tuned_beta--> β
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

from benchmarks.family_rows import FamilyRow

# Families whose objective is distortion + β · rate over the same network: their points lie on one curve.
BETA_FAMILIES = ("vae", "beta-vae")


@dataclass(frozen=True, slots=True)
class Number:
    """A mean over seeds, and the deviation between them (0 where there is one seed)."""

    mean: float
    deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """A family at one setting of its knob, over its seeds."""

    family: str
    setting: str
    knob: float | None
    swept: bool
    beta: float
    seeds: int
    file_bytes: Number
    payload_bits: Number
    information_bits: Number
    kl_bits: Number
    psnr_db: Number
    ms_ssim: Number
    elbo_nats: Number
    reconstruction_nats: Number
    kl_nats: Number
    active_latents: Number
    coded_latents: Number
    total_correlation_nats: Number
    hoyer: Number
    mean_latent: Number
    gradient_energy_ratio: Number
    zero_share: Number | None
    validation_bound_nats: Number


def settings(rows: Sequence[FamilyRow]) -> list[Setting]:
    """The settings of one data set's rows, in the order of their first rows."""
    grouped: dict[tuple[str, str], list[FamilyRow]] = {}
    for row in rows:
        grouped.setdefault((row.measured["family"], row.measured["setting"]), []).append(row)
    return [_setting(part) for part in grouped.values()]


def _setting(rows: Sequence[FamilyRow]) -> Setting:
    first = rows[0]
    files = [row.measured["files"] for row in rows]
    shares = [part["zero_share"] for part in files if part["zero_share"] is not None]
    last = [row.measured["curves"][-1] for row in rows]

    def of_files(name: str) -> Number:
        return number([part[name] for part in files])

    def of_point(name: str) -> Number:
        return number([part["point"][name] for part in files])

    def of_float(name: str) -> Number:
        return number([row.measured["float"][name] for row in rows])

    return Setting(
        family=first.measured["family"],
        setting=first.measured["setting"],
        knob=first.measured["knob"],
        swept=first.measured["swept"],
        beta=first.origin.config.objective.beta,
        seeds=len(rows),
        file_bytes=of_point("file_bytes"),
        payload_bits=of_files("payload_bits"),
        information_bits=of_files("information_bits"),
        kl_bits=of_float("kl_bits"),
        psnr_db=of_point("psnr_db"),
        ms_ssim=of_point("ms_ssim"),
        elbo_nats=of_float("elbo_nats"),
        reconstruction_nats=of_float("reconstruction_nats"),
        kl_nats=of_float("kl_nats"),
        active_latents=of_float("active_latents"),
        coded_latents=number([row.measured["finish"]["coded_latents"] for row in rows]),
        total_correlation_nats=of_float("total_correlation_nats"),
        hoyer=of_float("hoyer"),
        mean_latent=of_float("mean_latent"),
        gradient_energy_ratio=of_files("gradient_energy_ratio"),
        zero_share=number(shares) if shares else None,
        validation_bound_nats=number(
            [line["validation_distortion_nats"] + line["validation_rate_nats"] for line in last]
        ),
    )


def number(values: Sequence[Any]) -> Number:
    """Mean and deviation."""
    numbers = [float(value) for value in values]
    return Number(fmean(numbers), pstdev(numbers) if len(numbers) > 1 else 0.0)


def beta_curve(found: Sequence[Setting], value: Callable[[Setting], float]) -> list[tuple[float, float]]:
    """(bytes, value) of the β-VAE's settings, vae's among them, bytes rising."""
    return sorted((one.file_bytes.mean, value(one)) for one in found if one.family in BETA_FAMILIES)


def at_bytes(curve: Sequence[tuple[float, float]], file_bytes: float) -> float | None:
    """The curve's value at so many bytes, linear between its points; None outside them."""
    for (low, first), (high, second) in pairwise(curve):
        if low <= file_bytes <= high:
            return first + (second - first) * (file_bytes - low) / (high - low) if high > low else first
    return None


def tuned_beta(found: Sequence[Setting]) -> Setting | None:
    """The setting of modified-beta-vae with the highest bound on validation images; None where there is none.

    The bound weighs both sides in the unit of either, so it compares across β; the loss that was minimised does not.
    """
    tuned = [one for one in found if one.family == "modified-beta-vae"]
    return min(tuned, key=lambda one: one.validation_bound_nats.mean, default=None)


def at_rate(
    found: Sequence[Setting], family: str, file_bytes: float, value: Callable[[Setting], float]
) -> float | None:
    """A family's value at so many bytes, between the settings of its sweep; None where they do not enclose it."""
    points = [(one.file_bytes.mean, value(one)) for one in found if one.family == family and one.swept]
    return at_bytes(sorted(points), file_bytes)
