"""From trained weights to a model file that needs no torch; `python -m vaecodec.families.photo.export --help`.

weights-0.npz, weights-1.npz, crops of a pack --calibration--> integer networks
                            --ONNX, packed weights--> analysis, hyperanalysis         --> PhotoModel
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vaecodec.data.photographs import load_photographs
from vaecodec.errors import VaecodecError
from vaecodec.families.photo.batches import GOLDEN
from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.convert import make_exact
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.prior import Bottleneck, fit_bottleneck
from vaecodec.families.photo.train import make_model
from vaecodec.files.outputs import replacing
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.photo.known_answer import make_answers
from vaecodec.photo.model import Encoder, PhotoModel, make_photo_model
from vaecodec.photo.regions import BLOCK
from vaecodec.recipes.onnx_export import export_map, halve_weights

ANALYSIS_STEPS, HYPER_STEPS = 16, 24  # in a standard deviation of their weights
HALO_SHARE = 2  # half the radius: at the finest level, pixels beyond move a trained latent by 1e-5 steps
EXAMPLE = 8  # positions a side of y, of the example that graphs are traced with
CALIBRATION_CROPS, CALIBRATION_LEVELS = 6, 4  # the greatest activations of these decide how many bits follow the point
PRIOR_CROPS = 256  # whose hyperlatents the prior is fitted to, where training had none of the stored kind
PRIOR_STEPS, PRIOR_BATCH = 1000, 64  # crops a batch: 1,024 values a channel


@torch.no_grad()
def export_model(
    name: str,
    model: Photo,
    levels: Tensor,
    pictures: NDArray[np.uint8],
    *,
    calibrated_at: Sequence[float],
    about: dict[str, Any],
) -> PhotoModel:
    """levels (n,): the real levels of the file, rising. pictures (b, H, W, 3): sides multiples of 64; calibration.

    Raises NotExact.
    """
    model = model.eval()
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    networks = make_exact(model, levels, x, calibrated_at)
    beta = (1 / model.config.lambda_of(levels.double())).tolist()
    encoder = Encoder(
        analysis=_graph(model.analysis, (3, BLOCK * EXAMPLE), BLOCK, ANALYSIS_STEPS),
        hyper=_graph(model.hyper_analysis, (model.config.base_channels, EXAMPLE), 1, HYPER_STEPS),
        gain=_gains(model.log_gain(levels)),
        z_gain=_gains(model.log_z_gain(levels)),
        halo=-(-analysis_halo(model.config) // HALO_SHARE),
    )
    answers = make_answers(networks, sorted({max(networks.silent - 1, 0), len(levels) - 1}))
    middle = len(levels) // 2
    return make_photo_model(name, networks, tuple(beta), encoder, answers, about, default_level=middle)


def analysis_halo(config: PhotoConfig) -> int:
    """Positions of y on either side whose pixels a latent depends on: of each layer, its radius in pixels."""
    at = 2  # pixels a position after the unshuffle
    pixels = 0
    for _ in config.analysis_widths:
        pixels += 2 * at  # 5×5
        at *= 2
        pixels += config.analysis_blocks * at
    return -(-(pixels + at) // BLOCK)


def _graph(module: nn.Module, example: tuple[int, int], multiple: int, steps: int) -> Analysis:
    halved = copy.deepcopy(module)
    halve_weights(halved)
    channels, side = example
    return export_map(halved, torch.zeros(1, channels, side, side), multiple=multiple, steps=steps)


def _gains(logarithms: Tensor) -> NDArray[np.float32]:
    """(levels, c, 1, 1) -> (levels, c)."""
    return np.asarray(logarithms.exp().flatten(1).numpy(), np.float32)


def extremes(side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures that no photograph is: cells of saturated colours, black on white, noise; uint8 (n, side, side, 3).

    Clamps that are calibrated on photographs alone cost such pictures 2 to 5 dB.
    """
    rng = np.random.default_rng(seed)
    made = [rng.integers(0, 256, (side, side, 3))]
    for cell in (4, 16, 64):
        cells = -(-side // cell)
        for channels in (1, 3):
            colours = 255 * rng.integers(0, 2, (cells, cells, channels))
            made.append(np.kron(colours, np.ones((cell, cell, 3 // channels), np.int64))[:side, :side])
    return np.asarray(np.stack(made), np.uint8)


@torch.no_grad()
def hyperlatents(model: Photo, pictures: NDArray[np.uint8]) -> Tensor:
    """ẑ (n, c, h, w) of pictures (n, H, W, 3), each at a level of its own; the levels spread evenly."""
    found = []
    for number, picture in enumerate(pictures):
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        level = torch.full((1,), GOLDEN * number % 1 * (model.config.anchors - 1))
        y = model.analysis(x) * torch.exp(model.log_gain(level))
        found.append(torch.round(model.hyper_analysis(y) * torch.exp(model.log_z_gain(level))))
    return torch.cat(found)


def arguments(values: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vaecodec.families.photo.export", description="weights to a model file")
    parser.add_argument("weights", type=Path, nargs="+", help="weights-K.npz of one training")
    parser.add_argument("--calibrate", type=Path, required=True, help="a pack of training crops, or a folder")
    parser.add_argument("--out", type=Path, required=True, help="model file; its name is the model's")
    parser.add_argument("--levels", type=int, default=36, help="of β, spread evenly over those that were trained")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(values)


def export(options: argparse.Namespace) -> PhotoModel:
    """The model of some weights, written to a file."""
    torch.set_num_threads(options.threads)
    model, _ = make_model(options.weights)
    model = model.eval()
    crops = load_photographs(options.calibrate)
    if not isinstance(model.prior, Bottleneck):
        some = crops[:: max(1, len(crops) // PRIOR_CROPS)]
        rng = torch.Generator().manual_seed(options.seed)
        model.prior = fit_bottleneck(hyperlatents(model, some), rng=rng, steps=PRIOR_STEPS, batch=PRIOR_BATCH)
    top = model.config.anchors - 1.0
    data = [hashlib.sha256(path.read_bytes()).hexdigest() for path in options.weights]
    exported = export_model(
        options.out.stem,
        model,
        torch.linspace(0, top, options.levels),
        np.concatenate(
            (crops[:: max(1, len(crops) // CALIBRATION_CROPS)][:CALIBRATION_CROPS], extremes(crops.shape[1]))
        ),
        calibrated_at=np.linspace(0, top, CALIBRATION_LEVELS).tolist(),
        about={"config": model.config.to_dict(), "weights_sha256": data},
    )
    with replacing(options.out) as file:
        file.write(exported.to_bytes())
    return exported


def main() -> None:
    """The command."""
    options = arguments()
    try:
        model = export(options)
    except VaecodecError as error:
        sys.exit(str(error))
    print(f"{options.out}: {options.out.stat().st_size} bytes, {len(model.betas)} levels, {model.fingerprint.hex()}")


if __name__ == "__main__":
    main()
