"""A made-up model of 4x6 images, three latents, two levels, a few kilobytes: as a trained one, but for training.

symbols (3,) ─Slice─┬─Multiply─Dense─Rescale─┬─Dense─┬─Add─Rescale─Reshape (2, 3, 2)─Patches─Dense─Rescale─
level ─Slice─Lookup─┘                        └───────┘                ─Shuffle─Lookup─ (4, 6, 1)
"""

import numpy as np

from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.exact.known_answer import make_known_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Multiply, Patches, Rescale, Reshape, Shuffle, Slice
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model

LATENTS = 3


def whole_numbers(shape: tuple[int, ...], reach: int, seed: int) -> np.ndarray:
    """Integers in -reach..reach that look random and are the same for ever (no library's generator)."""
    k = np.arange(np.prod(shape, dtype=np.int64), dtype=np.int64) + 1000 * seed
    return ((k * k * 7919 + k * 104729 + 31) % 65521 % (2 * reach + 1) - reach).reshape(shape).astype(np.float32)


def mini_network() -> ExactNetwork:
    """Every operation there is."""
    low, high = np.array([-40, -10, -40, 0], np.int32), np.array([40, 10, 40, 1], np.int32)
    table = np.clip(np.arange(-200, 201) + 100, 0, 255).astype(np.float32).reshape(1, -1, 1)
    ops = (
        Slice((0,), 0, LATENTS),
        Slice((0,), LATENTS, LATENTS + 1),
        Lookup((2,), whole_numbers((1, 2, LATENTS), 3, 8), 0),
        Multiply((1, 3)),
        Dense((4,), whole_numbers((12, LATENTS), 300, 1), whole_numbers((12,), 9000, 2)),
        Rescale((5,), np.full(12, 6, np.uint8), 0, 255),
        Dense((6,), whole_numbers((12, 12), 127, 3), whole_numbers((12,), 5000, 4)),
        Add((6, 7)),
        Rescale((8,), (np.arange(12) % 3 + 8).astype(np.uint8), 0, 255),
        Reshape((9,), 2, 3),
        Patches((10,), 2, 1),
        Dense((11,), whole_numbers((4, 8), 127, 5), whole_numbers((4,), 5000, 6)),
        Rescale((12,), np.array([8], np.uint8), -200, 200),
        Shuffle((13,), 2, 1),
        Lookup((14,), table, -200),
    )
    return ExactNetwork(low, high, ops)


def mini_level(beta: float, width: int, coded: list[bool]) -> Level:
    """Tables of Laplacian shape around zero, the middle latent's around 7."""
    offsets = np.array([-(width // 2), 7, -(width // 2)], np.int32)
    shape = 0.5 ** np.abs(np.arange(width + 1) - width // 2)
    counts = counts_from_probabilities(np.tile(shape, (LATENTS, 1)))
    step = np.full(LATENTS, beta, np.float32)
    return Level(beta, CodingTables(offsets, counts, np.array(coded)), Quantizer(np.zeros(LATENTS, np.float32), step))


def mini_model() -> Model:
    """The model; its analysis is no graph, since nothing decodes with it."""
    network = mini_network()
    rows = whole_numbers((64, LATENTS + 1), 50, 7).astype(np.int32)
    return Model(
        name="golden-mini-1",
        family="beta-vae",
        height=4,
        width=6,
        levels=(mini_level(0.5, 9, [True, False, True]), mini_level(2.0, 5, [True, True, True])),
        analysis=Analysis(b"no graph"),
        synthesis=network,
        known_answer=make_known_answer(network, rows),
        about={"note": "made up for tests"},
    )
