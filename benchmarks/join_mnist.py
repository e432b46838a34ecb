"""One MNIST model for the whole curve: the levels of one model, and the exact part of another with a pruned analysis.

    python -m benchmarks.join_mnist LOSSY LOSSLESS --name mnist-flagship-5 --out FOLDER

zoo/mnist-flagship-5.vaem was made so of mnist-flagship-4 and mnist-lossless-1, which the repository's history has. Of
the 512 units of the stream in the lossless analysis, eleven wake for more than one in a thousand training images: the
others are cut (recipes/dead_units.py), and what is left is 2 % of the weights. Then both analyses are packed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from vaecodec.data import load_dataset
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.export import export_lossless_analysis
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.layers.residual import ResidualBlock, ResidualMLP
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.derived import join_models
from vaecodec.modelfile.installed import SUFFIX
from vaecodec.modelfile.model import Model, pack_model, read_model
from vaecodec.recipes.batches import as_images
from vaecodec.recipes.dead_units import cut_dead_units
from vaecodec.recipes.onnx_export import halve_weights
from vaecodec.recipes.pack_analysis import floats_of, pack_model_weights

INNER = "analysis.layers.blocks.{}.inner.weight"
RARE = 1e-3  # the share of training images that may wake a unit which is cut


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, prune, join, pack, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.join_mnist", description=__doc__.partition("\n")[0])
    parser.add_argument("lossy", type=Path, help="model file of several levels, not packed")
    parser.add_argument("lossless", type=Path, help="model file of a lossless part, not packed")
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--plain", action="store_true", help="neither pruned nor packed, to compare with")
    options = parser.parse_args(arguments)
    lossy, lossless = read_model(options.lossy), read_model(options.lossless)
    if not options.plain:
        lossless = pruned(lossless, load_dataset("mnist", "train").images)
    joined = join_models(lossy, lossless, options.name)
    path = options.out / f"{options.name}{SUFFIX}"
    path.write_bytes(pack_model(joined if options.plain else pack_model_weights(joined)))
    print(path, file=sys.stderr)
    return 0


def pruned(model: Model, images: NDArray[np.uint8]) -> Model:
    """A model of a lossless part, its analysis without the units that hardly any of the images (b, h, w) wakes."""
    stored = model.stored_lossless
    assert stored is not None
    floats = floats_of(stored.analysis.graph)
    whole = LosslessVAE(LosslessConfig(**model.about["config"]["model"]))
    whole.analysis.layers = _network_of(floats)
    whole.analysis.load_state_dict(
        {name: torch.from_numpy(floats[f"analysis.{name}"].copy()) for name in whole.analysis.state_dict()}
    )
    pixels = as_images(images).flatten(1)
    whole.analysis.layers = cut_dead_units(whole.analysis.layers, torch.split(pixels, 1000), RARE)
    print(f"units left: {whole.analysis.layers.enter.out_features}", file=sys.stderr)
    halve_weights(whole.analysis)
    graph = export_lossless_analysis(whole, torch.from_numpy(coded_latents(stored.analysis)))
    return replace(model, stored_lossless=stored.with_analysis(graph))


def _network_of(floats: Mapping[str, NDArray[np.float32]]) -> ResidualMLP:
    """Of the sizes of a graph's weights: some units may have been cut when the model was finished."""
    units, inputs = floats["analysis.layers.enter.weight"].shape
    network = ResidualMLP(inputs, units, 0, len(floats["analysis.layers.leave.weight"]))
    hidden = takewhile(lambda weight: weight is not None, map(floats.get, map(INNER.format, count())))
    network.blocks.extend(ResidualBlock(units, len(weight)) for weight in hidden if weight is not None)
    return network


def coded_latents(analysis: Analysis) -> NDArray[np.int64]:
    """Which latents of the trained model a graph gives: the whole numbers (n, 1) that it gathers by."""
    graph = onnx.load_model_from_string(analysis.graph).graph
    (gather,) = (node for node in graph.node if node.op_type == "GatherND")
    (indices,) = (one for one in graph.initializer if one.name == gather.input[1])
    return np.asarray(numpy_helper.to_array(indices).reshape(-1), np.int64)


if __name__ == "__main__":
    raise SystemExit(main())
