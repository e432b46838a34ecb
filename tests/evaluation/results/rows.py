"""Stored results as the benchmarks would write them, small, with numbers of the test's choice."""

import json

from vaecodec.evaluation.disentanglement.records import Interval, Measurement, Value

STEPS = (500, 1000, 1500, 2000)


def run(family, beta, *, data="mnist", seed=0, setting=None, file_bytes=12.0, psnr=20.0, loss=80.0, kl=20.0, **more):
    """A row of families/; its curves fall to loss and kl unless `curves` (distortion, rate) a step says otherwise."""
    setting = setting or (family if family == "vae" else f"beta-{beta:g}")
    name = f"{family}-{data}-{setting}-seed-{seed}"
    curve = more.get("curves") or [(loss + 40 / 2**k, kl + 0.01 * seed + 1e-4 * beta) for k in range(len(STEPS))]
    provenance = {"git_commit": "0" * 40, "git_changes": False, "time_utc": "2026-01-01T00:00:00+00:00", "command": "x"}
    return {
        "name": name,
        "provenance": provenance,
        "family": family,
        "data": data,
        "setting": setting,
        "knob": beta,
        "swept": True,
        "versions": {"python": "3.11"},
        "fingerprint": more.get("fingerprint", name),
        "training_sha256": "a" * 64,
        "test_sha256": "b" * 64,
        "files": {
            "point": {"file_bytes": file_bytes, "psnr_db": psnr, "ms_ssim": 0.9},
            "gradient_energy_ratio": more.get("energy", 0.5),
        },
        "float": {"reconstruction_nats": loss, "kl_nats": kl, "mean_latent": more.get("mean_latent", 0.5)},
        "config": {"seed": seed, "objective": {"beta": beta}, "model": {"latents": 8}, "optimiser": {"steps": 2000}},
        "curves": [
            {
                "step": step,
                "elapsed_s": more.get("seconds", 100.0),
                "train_distortion_nats": distortion,
                "train_rate_nats": rate,
                "validation_distortion_nats": distortion,
                "validation_rate_nats": rate,
            }
            for step, (distortion, rate) in zip(STEPS, curve, strict=True)
        ],
    }


METRICS = (
    ("mig", "MIG"),
    ("dci-classifier", "DCI D"),
    ("dci-regressor", "DCI D"),
    ("sap", "SAP"),
    ("factor-vae", "FactorVAE score"),
    ("beta-vae", "β-VAE score"),
    ("infomec", "InfoM"),
    ("med", "MED"),
    ("modularity", "modularity"),
)


def model(family, score, *, data="dsprites", entangled=(10.0, 12.0), null=(0.1, 0.2), name=None):
    """A row of disentanglement-<data>.json: every metric of axes at `score` ± 0.01."""
    means = []
    for metric, value in METRICS:
        said = Measurement(metric, (Value(value, score, Interval(score - 0.01, score + 0.01)),), 100)
        verdict = "above" if score - 0.01 > null[1] else "below" if score + 0.01 < null[0] else "not decided"
        nulls = [
            {"name": value, "numbers": list(null), "mean": sum(null) / 2, "range": {"low": null[0], "high": null[1]}}
        ]
        means.append({**said.to_dict(), "null": nulls, "against_null": {value: verdict}})
    low, high = entangled
    return {
        "name": name or f"{family}-{data}",
        "family": family,
        "level": 0,
        "latents": 3,
        "coded_latents": 2,
        "means": means,
        "symbols": means,
        "information": {"latent_bits": [3.0, 2.0], "factor_bits": [1.5], "mutual_bits": [[1.0], [0.25]]},
        "entanglement": {
            "bounds": {"low": low, "high": high},
            "marginals": {"value": 30.0},
            "minibatch_bits": 9.0,
        },
        "pairs": Measurement("pairs", (Value("paper's Δz", 0.7), Value("Higgins' Δz", 0.7)), 300).to_dict(),
    }


def write(folder, runs=(), models=(), prices=(), data="dsprites"):
    """A folder of results."""
    (folder / "families").mkdir(parents=True, exist_ok=True)
    for one in runs:
        (folder / "families" / f"{one['name']}.json").write_text(json.dumps(one), encoding="utf-8")
    provenance = {"command": "x", "git_commit": "0" * 40, "git_changes": False, "time_utc": "t", "seed": 0}
    about = {"name": data, "source": "made", "images": 100, "pixels_sha256": "c" * 64, "factors": ["shape"]}
    if models:
        ceilings = {
            "floats": {metric: Measurement(metric, (Value(name, 1.0),), 100).to_dict() for metric, name in METRICS}
        }
        ceilings["symbols"] = ceilings["floats"]
        found = {"provenance": provenance, "data": about, "ceilings": ceilings, "models": list(models)}
        (folder / f"disentanglement-{data}.json").write_text(json.dumps(found), encoding="utf-8")
    if prices:
        found = {"provenance": provenance, "data": about, "models": list(prices)}
        (folder / f"joint-price-{data}.json").write_text(json.dumps(found), encoding="utf-8")
    return folder
