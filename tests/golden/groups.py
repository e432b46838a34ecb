"""A made-up model of 4x4 images whose six symbols are coded in three groups, two of them with conditional priors.

symbols (6,) = 2 │ 1 │ 3     group 0: tables     groups 1 and 2: a network's means and scales, a shape table
"""

import numpy as np
from mini import whole_numbers

from vaecodec.bitstream.stream import pack
from vaecodec.codec.codec import Codec
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.exact.known_answer import make_known_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Rescale, Reshape
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model
from vaecodec.modelfile.priors import ConditionalPriors, make_conditional_answer

SIZES = (2, 1, 3)
LATENTS = sum(SIZES)
REACH = np.array([40, 10, 40, 30, 40, 20], np.int32)


def network(inputs: int, outputs: int, seed: int) -> ExactNetwork:
    """One hidden layer."""
    ops = (
        Dense((0,), whole_numbers((8, inputs), 90, seed), whole_numbers((8,), 2000, seed + 1)),
        Rescale((1,), np.array([5], np.uint8), 0, 255),
        Dense((2,), whole_numbers((outputs, 8), 90, seed + 2), whole_numbers((outputs,), 900, seed + 3)),
        Rescale((3,), np.array([8], np.uint8), -400, 400),
    )
    return ExactNetwork(-REACH[:inputs], REACH[:inputs], ops)


def shapes() -> ShapeTable:
    """Five widths, four fractions, eight columns: triangles around the mean."""
    places, middle = np.arange(8), 3 + np.arange(4)[:, None] / 4
    width = 0.5 + np.arange(5)[:, None, None]
    return ShapeTable(counts_from_probabilities(np.maximum(1 - np.abs(places - middle) / (2 * width), 0.01)))


def groups_model() -> Model:
    """The model; its analysis is no graph, since nothing decodes with it."""
    rows = np.column_stack([whole_numbers((64,), int(reach) + 5, 20 + k) for k, reach in enumerate(REACH)])
    rows = rows.astype(np.int32)
    networks = tuple(network(sum(SIZES[:g]), 2 * SIZES[g], 30 + 10 * g) for g in (1, 2))
    pixels = (
        Dense((0,), whole_numbers((16, LATENTS), 40, 11), whole_numbers((16,), 90, 12) + 100),
        Rescale((1,), np.array([0], np.uint8), 0, 255),
        Reshape((2,), 4, 4),
    )
    synthesis = ExactNetwork(-REACH, REACH, pixels)
    counts = counts_from_probabilities(np.tile(0.5 ** np.abs(np.arange(10) - 4.0), (LATENTS, 1)))
    offsets, coded = np.array([-4, 7, -4, -4, 2, -4], np.int32), np.array([True, False, True, True, False, True])
    level = Level(
        1.0,
        CodingTables(offsets, counts, coded),
        Quantizer(np.zeros(LATENTS, np.float32), np.ones(LATENTS, np.float32)),
    )
    return Model(
        name="golden-groups-1",
        family="nvae",
        height=4,
        width=4,
        levels=(level,),
        analysis=Analysis(b"no graph"),
        synthesis=synthesis,
        known_answer=make_known_answer(synthesis, rows),
        about={"note": "made up for tests"},
        priors=ConditionalPriors(SIZES, networks, shapes(), make_conditional_answer(networks, rows)),
    )


def groups_streams(codec: Codec) -> dict[str, bytes]:
    """Near the means, far from them, at the ends of int32."""
    rows = np.array(
        [[0, 0, 0, 0, 0, 0], [3, 0, -2, 5, 0, -7], [900, 0, -40, 77, 0, -3], [-(2**31), 0, 2**31 - 1, 0, 0, 1]]
    )
    symbols = codec.model.levels[0].tables.fill_collapsed(rows.astype(np.int32))
    return {
        str(k): pack(0, codec.fingerprint, (3, 4) if k == 1 else None, codec.lossy.encode_payload(row))
        for k, row in enumerate(symbols)
    }
