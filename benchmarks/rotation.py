"""Does a rotation of the latents change anything? The bound of a VAE does not see it; its files do or do not.

    python -m benchmarks.rotation [--data mnist|dsprites] [--seed S] [--runs DIR] [--limit N]

    x ──analyse──> N(μ, σ²) ──Q──> N(Qμ, Q diag(σ²) Qᵀ) ──sample──> y' ──Qᵀ──> synthesise

The vae of benchmarks.families, its latents rotated by a random orthogonal Q: mean head and decoder's first layer are
multiplied by it, nothing is trained anew. Into results/rotation-<data>.json: the bound before and after (full
covariance, Cholesky samples), the total correlation before and after, and the files of both under the same step rule:
RMS σ of each latent, rotated or not, times the multiplier that was chosen for the unrotated ones, and tables fitted to
the symbols.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.measuring.family_files import FilePoint, measure_files
from benchmarks.measuring.float_model import BATCH, gaussians, trained_model
from benchmarks.measuring.images import DATA, Images, describe_set
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import RunState, model_path, run_state, runs_folder, training_sets
from benchmarks.studies.correlation import Correlation, correlation, sample_of
from benchmarks.studies.family_runs import family_runs
from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet, load_dataset
from vaecodec.families.conv.model import ConvVAE
from vaecodec.layers.base import Posterior
from vaecodec.modelfile.model import Model
from vaecodec.recipes.batches import all_over, as_images
from vaecodec.recipes.config import TrainingConfig
from vaecodec.recipes.finish import finish
from vaecodec.recipes.objective import Trainable, distortion_nats

LARGEST_CHANGE_NATS = 0.1
SAMPLES = 16  # of each image: the two bounds have independent noise, which must stay well below 0.1 nat
CORRELATION_SAMPLES = 1000
CORRELATION_IMAGES = 5000


class RotatedVAE(ConvVAE):
    """The same VAE in other coordinates; its posterior's σ are the marginal ones, for the step rule."""

    def __init__(self, model: ConvVAE, rotation: Float[Tensor, "n n"]) -> None:
        super().__init__(model.config)
        self.load_state_dict(model.state_dict())
        self.register_buffer("rotation", rotation, persistent=False)
        mean, first = self.analysis.mean, cast("nn.Linear", self.synthesis.dense[0])
        with torch.no_grad():
            mean.weight.copy_(rotation @ mean.weight)
            mean.bias.copy_(rotation @ mean.bias)
            first.weight.copy_(first.weight @ rotation.T)

    rotation: Tensor

    def analyse(self, x: Float[Tensor, "b h w"]) -> Posterior:
        posterior: Posterior = self.analysis(x)
        variance = posterior.log_variance.exp() @ self.rotation.square().T
        return Posterior(posterior.mean, variance.log())

    def covariance(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n n"]:
        """Q diag(σ²) Qᵀ of each image."""
        posterior: Posterior = self.analysis(x)
        return self.rotation @ torch.diag_embed(posterior.log_variance.exp()) @ self.rotation.T


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where the bound changes by more than 0.1 nat or the vae is not trained yet, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rotation", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--seed", type=int, default=0, help="of the rotation")
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--limit", type=int, help="only so many test images; for trying the script")
    options = parser.parse_args(arguments)
    failed = False
    for data in options.data or DATA:
        config = next(run.config for run in family_runs(data) if run.config.family == "vae")
        sets = training_sets(data)
        runs = options.runs or runs_folder()
        if run_state(config, sets[0], runs) is not RunState.DONE:
            print(f"{config.name}: train it first (python -m benchmarks.families --family vae)", file=sys.stderr)
            failed = True
            continue
        result = measure_rotation(config, runs, sets, load_dataset(data, "test"), options.seed, options.limit)
        write_results(RESULTS / f"rotation-{data}.json", result, seed=options.seed)
        failed |= not result["holds"]
    return int(failed)


def measure_rotation(
    config: TrainingConfig, runs: Path, sets: tuple[ImageSet, ImageSet], test: ImageSet, seed: int, limit: int | None
) -> dict[str, Any]:
    """Everything before and after, as it is stored."""
    images = test.images[:limit]
    path = model_path(config, runs)
    trainable = trained_model(path.parent)
    assert isinstance(trainable.model, ConvVAE)
    latents = trainable.model.config.latents
    rotated = RotatedVAE(trainable.model, random_rotation(latents, seed)).eval()
    identity = RotatedVAE(trainable.model, torch.eye(latents)).eval()
    before, after = (full_bound(model, trainable, images, seed) for model in (identity, rotated))
    correlations = rotated_correlations(trainable, rotated, images, seed)
    codec = Codec.load(path)
    files = [measure_files(codec, images), measure_files(rotated_codec(rotated, config, codec.model, sets), images)]
    for name, point in zip(("as trained", "rotated"), files, strict=True):
        print(f"{config.name:16} {name:12} {describe(point.point)}", file=sys.stderr)
    change = abs(sum(after.values()) - sum(before.values()))
    return {
        "data": {**describe_set(test), "images": len(images)},
        "config": config.to_dict(),
        "bound": {"before": before, "after": after, "change_nats": change},
        "largest_change_nats": LARGEST_CHANGE_NATS,
        "holds": change <= LARGEST_CHANGE_NATS,
        "total_correlation": {
            name: {"nats": found.total_nats, "joint_nats": found.joint_nats, "marginals_nats": found.marginals_nats}
            for name, found in zip(("before", "after"), correlations, strict=True)
        },
        "files": {"before": _short(files[0]), "after": _short(files[1])},
        "longer_bits": files[1].information_bits - files[0].information_bits,
    }


def random_rotation(latents: int, seed: int) -> Float[Tensor, "n n"]:
    """A random orthogonal matrix, uniform by Haar's measure (Mezzadri 2007)."""
    normal = torch.randn(latents, latents, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    q, r = torch.linalg.qr(normal)
    rotation: Tensor = (q * r.diagonal().sign()).float()
    return rotation


@torch.no_grad()
def full_bound(model: RotatedVAE, trainable: Trainable, images: Images, seed: int) -> dict[str, float]:
    """Reconstruction (the mean of 16 samples) and KL to N(0, I) with the full covariance, nats an image."""
    rng = torch.Generator().manual_seed(seed)
    reconstruction, kl = 0.0, 0.0
    for start in range(0, len(images), BATCH):
        x = as_images(images[start : start + BATCH])
        mean, covariance = model.analyse(x).mean, model.covariance(x)
        factor = torch.linalg.cholesky(covariance.double())
        kl += float(gaussian_kl(mean.double(), covariance.double(), factor).sum())
        for _ in range(SAMPLES):
            noise = torch.empty_like(mean).normal_(generator=rng)
            y = mean + (factor.float() @ noise[..., None])[..., 0]
            reconstruction += float(distortion_nats(model.synthesise(y), x, trainable.config).sum()) / SAMPLES
    return {"reconstruction_nats": reconstruction / len(images), "kl_nats": kl / len(images)}


def gaussian_kl(
    mean: Float[Tensor, "b n"], covariance: Float[Tensor, "b n n"], factor: Float[Tensor, "b n n"]
) -> Float[Tensor, " b"]:
    """KL(N(mean, covariance) ‖ N(0, I)); factor: the covariance's Cholesky factor."""
    trace = covariance.diagonal(dim1=1, dim2=2).sum(dim=1)
    log_determinant = 2 * factor.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    kl: Tensor = 0.5 * (trace + mean.square().sum(dim=1) - mean.shape[1] - log_determinant)
    return kl


def rotated_correlations(
    trainable: Trainable, rotated: RotatedVAE, images: Images, seed: int
) -> tuple[Correlation, Correlation]:
    """Total correlation before and after. A rotation keeps volumes, so the joint density of a sample stays."""
    few = images[all_over(len(images), CORRELATION_IMAGES)]
    mean, sigma = gaussians(trainable, few)
    y = sample_of(mean, sigma, CORRELATION_SAMPLES, np.random.default_rng(seed))
    before = correlation(mean, sigma, y)
    q = rotated.rotation.numpy()
    after = correlation(mean @ q.T, np.sqrt(np.square(sigma) @ np.square(q).T), y @ q.T)
    return before, replace(after, joint_nats=before.joint_nats)


def rotated_codec(
    rotated: RotatedVAE, config: TrainingConfig, unrotated: Model, sets: tuple[ImageSet, ImageSet]
) -> Codec:
    """The rotated model's codec, with the step multiplier that was chosen for the unrotated one."""
    trials = unrotated.about["finish"]["step_trials"]
    multiplier = min(trials, key=lambda trial: float(trial["objective_nats"]))["multiplier"]
    same = replace(config, finish=replace(config.finish, step_multipliers=(multiplier,)))
    return Codec(finish(Trainable(rotated, config.objective).eval(), same, *sets))


def _short(files: FilePoint) -> dict[str, Any]:
    point = files.point
    return {
        "file_bytes": point.file_bytes,
        "payload_bytes": point.payload_bytes,
        "information_bits": files.information_bits,
        "psnr_db": point.psnr_db,
        "ms_ssim": point.ms_ssim,
        "coded_latents": len(files.latent_bits),
    }


if __name__ == "__main__":
    sys.exit(main())
