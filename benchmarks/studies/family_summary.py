"""What is concluded from the families' rows: settings with their seeds together, equal rates, the tuned β. Pure.

rows --settings--> Setting (means over seeds) --at_bytes(curve)--> PSNR at the same bytes      --tuned_beta--> β
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from scipy.interpolate import PchipInterpolator

from benchmarks.studies.family_rows import FamilyRow
from benchmarks.studies.family_runs import TUNED_BETAS, kept_setting

# Families whose objective is distortion + β · rate over the same network: their points lie on one curve.
BETA_FAMILIES = ("vae", "beta-vae", "modified-beta-vae")


@dataclass(frozen=True, slots=True)
class Number:
    """A mean over seeds, and the sample deviation between them (0 where there is one seed)."""

    mean: float
    deviation: float = 0.0


def shown(value: Number, digits: int) -> str:
    """The mean, and the deviation where there are seeds."""
    text = f"{value.mean:.{digits}f}"
    return f"{text} ± {value.deviation:.{digits}f}" if value.deviation else text


@dataclass(frozen=True, slots=True)
class Setting:
    """A family at one setting of its knob, over its seeds. swept, kept: as FamilyRun has them."""

    family: str
    setting: str
    knob: float | None
    swept: bool
    kept: bool
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
    files, floats = ([row.measured[part] for row in rows] for part in ("files", "float"))
    points = [part["point"] for part in files]
    shares = [part["zero_share"] for part in files if part["zero_share"] is not None]
    last = [row.measured["curves"][-1] for row in rows]

    def of(parts: Sequence[Mapping[str, Any]], name: str) -> Number:
        return number([part[name] for part in parts])

    return Setting(
        family=first.measured["family"],
        setting=first.measured["setting"],
        knob=first.measured["knob"],
        swept=first.measured["swept"],
        kept=first.measured["setting"] == kept_setting(first.measured["family"], first.measured["data"]),
        beta=first.origin.config.objective.beta,
        seeds=len(rows),
        file_bytes=of(points, "file_bytes"),
        payload_bits=of(files, "payload_bits"),
        information_bits=of(files, "information_bits"),
        kl_bits=of(floats, "kl_bits"),
        psnr_db=of(points, "psnr_db"),
        ms_ssim=of(points, "ms_ssim"),
        elbo_nats=of(floats, "elbo_nats"),
        reconstruction_nats=of(floats, "reconstruction_nats"),
        kl_nats=of(floats, "kl_nats"),
        active_latents=of(floats, "active_latents"),
        coded_latents=number([row.measured["finish"]["coded_latents"] for row in rows]),
        hoyer=of(floats, "hoyer"),
        mean_latent=of(floats, "mean_latent"),
        gradient_energy_ratio=of(files, "gradient_energy_ratio"),
        zero_share=number(shares) if shares else None,
        validation_bound_nats=number(
            [line["validation_distortion_nats"] + line["validation_rate_nats"] for line in last]
        ),
    )


def number(values: Sequence[Any]) -> Number:
    """Mean and deviation."""
    numbers = [float(value) for value in values]
    return Number(fmean(numbers), stdev(numbers) if len(numbers) > 1 else 0.0)


def beta_curve(found: Sequence[Setting], value: Callable[[Setting], float]) -> list[tuple[float, float]]:
    """(bytes, value) of the β-VAE, bytes rising: one point for each β, over all families and seeds that have it."""
    grouped: dict[float, list[Setting]] = {}
    for one in found:
        if one.family in BETA_FAMILIES:
            grouped.setdefault(one.beta, []).append(one)
    return sorted(
        (_over_seeds(part, lambda one: one.file_bytes.mean), _over_seeds(part, value)) for part in grouped.values()
    )


def _over_seeds(found: Sequence[Setting], value: Callable[[Setting], float]) -> float:
    return fmean([value(one) for one in found], weights=[one.seeds for one in found])


def at_bytes(curve: Sequence[tuple[float, float]], file_bytes: float) -> float | None:
    """The curve's value at so many bytes, by piecewise cubic Hermite interpolation; None outside its points.

    Straight lines would lie below a curve that is bent as these are, by up to 0.8 dB between the settings of the sweep.
    """
    grouped: dict[float, list[float]] = {}
    for where, value in curve:
        grouped.setdefault(where, []).append(value)
    places = sorted(grouped)
    if not places or not places[0] <= file_bytes <= places[-1]:
        return None
    values = [fmean(grouped[where]) for where in places]
    return float(PchipInterpolator(places, values)(file_bytes)) if len(places) > 1 else values[0]


def at_rate(
    found: Sequence[Setting], family: str, file_bytes: float, value: Callable[[Setting], float]
) -> float | None:
    """A family's value at so many bytes, between the settings of its sweep; None where they do not enclose it.

    The families of one objective are one curve, whichever of them a setting was trained as.
    """
    if family in BETA_FAMILIES:
        return at_bytes(beta_curve(found, value), file_bytes)
    return at_bytes(
        [(one.file_bytes.mean, value(one)) for one in found if one.family == family and one.swept], file_bytes
    )


def tuned_settings(found: Sequence[Setting]) -> list[Setting]:
    """The settings of modified-beta-vae, β rising."""
    return sorted((one for one in found if one.family == "modified-beta-vae"), key=lambda one: one.beta)


def tuned_beta(found: Sequence[Setting]) -> Setting | None:
    """The setting of modified-beta-vae with the highest bound on validation images; None until all were trained.

    The bound weighs both sides in the unit of either, so it compares across β; the loss that was minimised does not.
    """
    tuned = tuned_settings(found)
    if {one.beta for one in tuned} < set(TUNED_BETAS):
        return None
    return min(tuned, key=lambda one: one.validation_bound_nats.mean)
