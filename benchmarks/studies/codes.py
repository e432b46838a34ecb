"""The codes of images under a model: the one place where the studies of latents look into a codec.

images uint8 (b, h, w) ──analysis graph──> means float (b, d) ┐  d: the latents that the level codes
                       ──Codec.analyse───> symbols int (b, d) ┴─> Codes
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec import Codec

BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """means: float64 (b, d). symbols: int64 (b, d). steps: (d,), of the quantizer. latents: of the model, coded or not.

    file_bits: -log2 P of the symbols under the model's own tables, all latents together, (b,).
    """

    means: NDArray[np.float64]
    symbols: NDArray[np.int64]
    steps: NDArray[np.float64]
    latents: int
    file_bits: NDArray[np.float64]


def codes_of(codec: Codec, images: NDArray[np.uint8], level: int = 0) -> Codes:
    """Of images (b, h, w) of the model's geometry at one of its levels."""
    stored = codec.model.levels[level]
    coded = np.asarray(stored.tables.coded)
    symbols = codec.analyse(images, level)
    parts = [codec.symbol_bits(symbols[at : at + BATCH], level).sum(axis=1) for at in range(0, len(images), BATCH)]
    return Codes(
        means=_means(codec.model.analysis, images, level)[:, coded],
        symbols=symbols[:, coded].astype(np.int64),
        steps=np.asarray(stored.quantizer.step, np.float64)[coded],
        latents=symbols.shape[1],
        file_bits=np.concatenate(parts),
    )


def _means(graph: bytes, images: NDArray[np.uint8], level: int) -> NDArray[np.float64]:
    """What the analysis graph gives before the quantizer, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [taken.name for taken in session.get_inputs()]
    parts = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        # The graph wants two images at least.
        x = np.resize(part, (max(len(part), 2), *part.shape[1:])).astype(np.float32) / np.float32(255)
        inputs = (x, np.full(len(x), level, np.int64))
        found = session.run(None, dict(zip(names, inputs, strict=False)))[0]
        parts.append(found[: len(part)])
    return np.asarray(np.concatenate(parts), dtype=np.float64)
