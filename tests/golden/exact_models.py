"""Made-up models with a lossless part: predictors drawn by hand, so that they compress, with no training.

mean of each quadrant ──> 4 symbols ──> map (h/2, w/2, 2): the quadrant's mean, and the quadrants' mean
guess of a pixel = the mean of the neighbours decoded before it (phase 0: the map)
logit indices: of "zero" falls with the guess; of a basis distribution with its centre's distance from the guess
"""

import numpy as np
from mini import whole_numbers
from onnx import TensorProto, helper, numpy_helper

from vaecodec.codec.codec import Codec
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import TOTAL, CodingTables, counts_from_probabilities
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Op, Patches, Rescale, Reshape, Slice
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.lossless_part import LosslessPart, PixelLikelihood, ValueMixture
from vaecodec.modelfile.model import Model, lossless_model
from vaecodec.pixels.phases import make_likelihood_answer

LATENTS = 4
STEPS = 16  # a quadrant's mean is coded in so many
LIMIT = 255  # L, the largest logit index
CENTERS = (4, 32, 80, 128, 176, 224, 250, 255)
WIDTHS = (4, 16, 24, 24, 24, 16, 4, 1)
# Which pixels of each plane before it (rows and columns of a 3x3 window) a phase's guess is the mean of.
NEIGHBOURS = (
    (),
    (((1, 1), (1, 2), (2, 1), (2, 2)),),
    (((1, 1), (1, 2)), ((0, 1), (1, 1))),
    (((1, 1), (2, 1)), ((1, 0), (1, 1)), ()),
)


def quadrant_masks(height: int, width: int) -> np.ndarray:
    """float32 (4, h, w): the mean over each quadrant."""
    masks = np.zeros((LATENTS, height, width), np.float32)
    for k in range(LATENTS):
        row, column = (k // 2) * height // 2, (k % 2) * width // 2
        masks[k, row : row + height // 2, column : column + width // 2] = 4 / (height * width)
    return masks


def analysis(height: int, width: int) -> Analysis:
    """An ONNX graph: images (b, h, w) of 0..1 → quadrants' means times STEPS."""
    weight = (STEPS * quadrant_masks(height, width)).reshape(LATENTS, -1).T
    nodes = [helper.make_node("Flatten", ["x"], ["flat"], axis=1), helper.make_node("MatMul", ["flat", "w"], ["y"])]
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", height, width])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", LATENTS])
    graph = helper.make_graph(nodes, "analysis", [taken], [given], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Analysis(model.SerializeToString(deterministic=True))


def map_network(rows: int, columns: int) -> ExactNetwork:
    """Symbols (4,) → (rows, columns, 2)."""
    weight = np.zeros((rows, columns, 2, LATENTS), np.float32)
    for k in range(LATENTS):
        row, column = (k // 2) * rows // 2, (k % 2) * columns // 2
        weight[row : row + (rows + 1) // 2, column : column + (columns + 1) // 2, 0] = 0
        weight[row : row + (rows + 1) // 2, column : column + (columns + 1) // 2, 0, k] = 16
    weight[:, :, 1] = 4
    weight = weight.reshape(-1, LATENTS)
    ops = (
        Dense((0,), weight, np.zeros(len(weight), np.float32)),
        Rescale((1,), np.zeros(1, np.uint8), 0, 255),
        Reshape((2,), rows, columns),
    )
    return ExactNetwork(np.zeros(LATENTS, np.int32), np.full(LATENTS, STEPS, np.int32), ops)


def phase_network(phase: int, rows: int, columns: int, centers: tuple[int, ...]) -> ExactNetwork:
    """See the top."""
    pixels, ops = rows * columns, []

    def add(op: Op) -> int:
        ops.append(op)
        return len(ops)

    def window_sum(start: int, channels: int, weight: np.ndarray) -> int:
        plane = add(Slice((0,), start, start + pixels * channels))
        window = add(Patches((add(Reshape((plane,), rows, columns)),), 3, 1))
        return add(Dense((window,), weight.reshape(1, -1), np.zeros(1, np.float32)))

    weight = np.zeros((3, 3, 2), np.float32)
    weight[1, 1, 0] = 0 if phase else 64
    guess = window_sum(0, 2, weight)
    count = sum(map(len, NEIGHBOURS[phase]))
    for k, places in enumerate(NEIGHBOURS[phase]):
        weight = np.zeros((3, 3), np.float32)
        for row, column in places:
            weight[row, column] = 64 // count
        guess = add(Add((guess, window_sum((2 + k) * pixels, 1, weight))))
    guess = add(Rescale((guess,), np.array([6], np.uint8), 0, 255))
    # |guess - center| = relu(guess - center) + relu(center - guess)
    edges = np.array([0, *centers, *centers], np.float32)
    signs = np.array([1] + [1] * len(centers) + [-1] * len(centers), np.float32)
    ramps = add(Rescale((add(Dense((guess,), signs[:, None], -signs * edges)),), np.zeros(1, np.uint8), 0, 255))
    out = np.zeros((1 + len(centers), 1 + 2 * len(centers)), np.float32)
    out[0, 0] = -3
    for k in range(len(centers)):
        out[1 + k, [1 + k, 1 + len(centers) + k]] = -1
    bias = np.array([96] + [0] * len(centers), np.float32)
    add(Rescale((add(Dense((ramps,), out, bias)),), np.zeros(1, np.uint8), -LIMIT, LIMIT))
    inputs = pixels * (2 + phase)
    return ExactNetwork(np.zeros(inputs, np.int32), np.full(inputs, 255, np.int32), tuple(ops))


def value_mixture() -> ValueMixture:
    """Laplacian shapes around the centres."""
    values, steps = np.arange(1, 256), np.arange(-LIMIT, LIMIT + 1)
    shapes = [np.exp(-np.abs(values - c) / w) for c, w in zip(CENTERS, WIDTHS, strict=True)]
    counts = counts_from_probabilities(np.stack([s / s.sum() + 1e-5 for s in shapes])).astype(np.int32)
    weights = np.clip(np.rint(2.0**20 * np.exp(np.minimum(steps, 0) / 12)), 1, 2**20).astype(np.int32)
    return ValueMixture(weights, counts)


def lossless_part(height: int, width: int, bit_depth: int) -> LosslessPart:
    """A part for images of this size, both sides even."""
    rows, columns, steps = height // 2, width // 2, np.arange(-LIMIT, LIMIT + 1)
    probability = 1 / (1 + np.exp(-steps / 24))
    likelihood = PixelLikelihood(
        map_network=map_network(rows, columns),
        phases=tuple(phase_network(k, rows, columns, CENTERS if bit_depth == 8 else ()) for k in range(4)),
        zero_counts=np.clip(np.rint(probability * TOTAL), 1, TOTAL - 1).astype(np.int32),
        values=value_mixture() if bit_depth == 8 else None,
    )
    shape = 0.75 ** np.arange(STEPS + 2)
    symbols = np.abs(whole_numbers((64, LATENTS), STEPS, 9)).astype(np.int32)
    return LosslessPart(
        analysis=analysis(height, width),
        quantizer=Quantizer(np.zeros(LATENTS, np.float32), np.ones(LATENTS, np.float32)),
        tables=CodingTables(
            np.zeros(LATENTS, np.int32), counts_from_probabilities(np.tile(shape, (LATENTS, 1))), np.ones(LATENTS, bool)
        ),
        likelihood=likelihood,
        known_answer=make_likelihood_answer(likelihood, symbols),
    )


def exact_model(name: str, height: int, width: int, bit_depth: int) -> Model:
    """A model of a lossless part alone."""
    return lossless_model(name, "lossless-vae", lossless_part(height, width, bit_depth), {"note": "made up for tests"})


def exact_streams(codec: Codec, digits: np.ndarray) -> dict[str, bytes]:
    """Of 28x28 images of 8 bits: every kind of stream there is."""
    noise = (np.abs(whole_numbers((28, 28), 127, 11)) * 2).astype(np.uint8)
    images = {f"digit-{k}": digits[k] for k in range(3)}
    images |= {
        "black": np.zeros((28, 28), np.uint8),
        "inverted": 255 - digits[0],
        "20x27": digits[3, :20, :27],
        "1x1": digits[4, 14:15, 14:15],
        "noise": noise,
        "chequered": ((np.indices((28, 28)).sum(axis=0) % 2) * 255).astype(np.uint8),
    }
    streams = {name: codec.compress(image, lossless=True) for name, image in images.items()}
    streams |= {f"within-{error}": codec.compress(digits[1], max_error=error) for error in (1, 2, 20, 127)}
    streams["within-9-9x28"] = codec.compress(digits[2, 10:19], max_error=9)
    return streams


def bits_streams(codec: Codec) -> dict[str, bytes]:
    """Of 12x10 images of 1 bit."""
    rows, columns = np.indices((12, 10))
    disc = (((rows - 6) ** 2 + (columns - 4) ** 2 < 14) * 255).astype(np.uint8)
    grey = np.where(disc > 0, 254, 1).astype(np.uint8)
    return {
        "disc": codec.compress(disc, lossless=True),
        "disc-9x9": codec.compress(disc[:9, :9], lossless=True),
        "chequered": codec.compress(((rows + columns) % 2 * 255).astype(np.uint8), lossless=True),
        "grey": codec.compress(grey, lossless=True),
        "within-2": codec.compress(grey, max_error=2),
    }
