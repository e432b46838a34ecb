"""docs/format.md, section 16: the example is what we read, and a reader written from the page reads what we write."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np

from vaecodec.modelfile.analysis_weights import Weights, pack_weights, unpack_weights

TEXT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


def read_by_the_page(data: bytes) -> dict[str, np.ndarray]:
    """Only what the page says, and nothing of ours."""
    (count,), at, found = struct.unpack_from("<H", data), 2, {}
    for _ in range(count):
        name = data[at + 1 : at + 1 + data[at]].decode()
        at += 1 + data[at]
        width, dimensions = data[at], data[at + 1]
        shape = struct.unpack_from(f"<{dimensions}I", data, at + 2)
        at += 2 + 4 * dimensions
        scales = struct.unpack_from(f"<{shape[0]}f", data, at)
        at += 4 * shape[0]
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        flat = zlib.decompress(data[at : at + length], -15)
        at += length
        if width == 1:
            numbers = [x - 256 if x > 127 else x for x in flat]
        else:
            half = len(flat) // 2
            folded = [low + 256 * high for low, high in zip(flat[:half], flat[half:], strict=True)]
            numbers = [x // 2 if x % 2 == 0 else -(x + 1) // 2 for x in folded]
        rows = np.array(numbers, np.float64).reshape(shape[0], -1) * np.array(scales)[:, None]
        found[name] = rows.astype(np.float32).reshape(shape)
    assert at == len(data)
    return found


def test_the_examples_bytes_are_the_examples_weights() -> None:
    lines = re.search(r"```example-weights\n(.*?)```", TEXT, re.DOTALL)[1].splitlines()
    data = bytes.fromhex("".join(re.match(r"((?:[0-9a-f]{2} ?)+)", line)[1] for line in lines))
    (tensor,) = unpack_weights(data)
    assert tensor.numbers.tolist() == [[3, -1], [0, -300]]
    np.testing.assert_array_equal(tensor.floats, [[1.5, -0.5], [0, 75]])
    np.testing.assert_array_equal(read_by_the_page(data)["w"], tensor.floats)


def test_a_reader_written_from_the_page_reads_what_we_write() -> None:
    rng = np.random.default_rng(0)
    tensors = [
        Weights("bytes", rng.integers(-128, 128, (3, 4, 5), dtype=np.int8), rng.normal(size=3).astype(np.float32)),
        Weights("words", rng.integers(-(2**15), 2**15, (6, 9), dtype=np.int16), rng.normal(size=6).astype(np.float32)),
    ]
    found = read_by_the_page(pack_weights(tensors))
    for tensor in tensors:
        np.testing.assert_array_equal(found[tensor.name], tensor.floats)
