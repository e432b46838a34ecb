"""Rows of the families' sweep as measured runs would have them."""

import math

from benchmarks.measuring.stored import Origin
from benchmarks.studies.family_rows import FamilyRow
from benchmarks.studies.family_runs import family_runs


def row(run, *, file_bytes, psnr=20.0, reconstruction=80.0, kl=20.0, bound=None, **more):
    """A row as a measured run would have it."""
    point = {"file_bytes": file_bytes, "psnr_db": psnr, "ms_ssim": 0.9, "payload_bytes": file_bytes - 7, "mse": 1.0}
    information = 8 * (file_bytes - 7) - 2.5
    measured = {
        "family": run.config.family,
        "data": run.config.data,
        "setting": run.setting,
        "knob": run.knob,
        "swept": run.swept,
        "test_images": 100,
        "finish": {"coded_latents": 10},
        "files": {
            "point": point,
            "information_bits": information,
            "payload_bits": information + 2.5,
            "own_reconstruction": True,
            "within_bound": True,
            "latent_bits": [information],
            "zero_share": more.get("zero_share", 0.3),
            "gradient_energy_ratio": more.get("energy", 0.8),
        },
        "float": {
            "reconstruction_nats": reconstruction,
            "kl_nats": kl,
            "kl_bits": kl / math.log(2),
            "elbo_nats": -reconstruction - kl,
            "active_latents": 9,
            "latents": 32,
            "mean_latent": more.get("mean_latent", 0.5),
            "hoyer": more.get("hoyer", 0.2),
        },
        "fingerprint": run.config.name,
        "versions": {},
        "curves": [
            {
                "step": 1,
                "elapsed_s": 1.0,
                "train_distortion_nats": reconstruction,
                "train_rate_nats": kl,
                "validation_distortion_nats": reconstruction,
                "validation_rate_nats": kl if bound is None else bound - 80,
            }
        ],
    }
    return FamilyRow(Origin(run.config, "train", "test"), {"time_utc": "now"}, measured)


def rows_of(data="mnist"):
    """A row for every run; files shrink along each family's sweep."""
    found = []
    for k, run in enumerate(family_runs(data)):
        knob = run.knob or 0.0
        found.append(row(run, file_bytes=20 - 3 * math.log10(1 + knob) + 0.1 * run.config.seed, psnr=22 - 0.01 * k))
    return found
