"""docs/format.md, section 14, against the code: its example, its sections, and a decoder written from its text."""

import hashlib
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from vaecodec.bitstream.stream import CODING_LOSSLESS, pack, unpack
from vaecodec.codec.codec import load
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.exact.known_answer import KnownAnswer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Reshape
from vaecodec.modelfile.lossless_part import LosslessPart, PixelLikelihood, ValueMixture
from vaecodec.modelfile.lossless_sections import DECODE
from vaecodec.pixels.coder import decode_payloads, encode_payloads
from vaecodec.pixels.near_lossless import Bins
from vaecodec.pixels.phases import likelihood_answer

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## 14. ") : TEXT.index("## 15. ")]
GOLDEN = ROOT / "tests" / "golden" / "v1"
STREAMS = [p for p in sorted((GOLDEN / "streams").glob("*.bin")) if p.stem.split("-")[0] in ("exact", "bits")]
FINGERPRINT = bytes(range(32))
PLACES = ((0, 0), (1, 1), (0, 1), (1, 0))


def block(name: str) -> list[str]:
    found = re.search(rf"```{name}\n(.*?)```", SECTION, re.DOTALL)
    assert found, name
    return found.group(1).splitlines()


class Coder:
    """Section 4 with one long number for `low`, which decodes; shares no code with the package."""

    def __init__(self, payload: bytes) -> None:
        self.payload, self.low, self.range, self.words = payload, 0, 2**64 - 1, 0

    def column(self, counts: list[int]) -> int:
        assert sum(counts) == 2**24
        total_bytes = 8 + 4 * self.words
        number = int.from_bytes((self.payload + bytes(total_bytes))[:total_bytes], "big")
        scale = self.range >> 24
        quantile = (number - self.low) // scale
        start = c = 0
        while not start <= quantile < start + counts[c]:
            start += counts[c]
            c += 1
        self.low, self.range = self.low + scale * start, scale * counts[c]
        if self.range < 2**32:
            self.low, self.range, self.words = self.low << 32, self.range << 32, self.words + 1
        return c


def counts_of_values(part: LosslessPart, indices: list[int], error: int) -> list[int]:
    """The counts of the columns of a pixel that is not zero."""
    values = part.likelihood.values
    e = [int(values.weights[i + len(values.weights) // 2]) for i in indices]
    w = [(each << 16) // sum(e) for each in e]
    rows = [[int(count) for count in row] for row in values.counts]
    c = [sum(w[k] * rows[k][v] for k in range(len(w))) >> 16 for v in range(255)]
    c[c.index(max(c))] += 2**24 - sum(c)
    width = 2 * error + 1
    bins = [sum(c[first : first + width]) for first in range(error, 255, width)]
    bins[bins.index(max(bins))] += sum(c[:error])
    return bins


def decode_by_the_page(part: LosslessPart, payload: bytes, error: int) -> tuple[list[int], np.ndarray]:
    """Sections 14.2 and 14.3; the tables of these models have no escape in use and no collapsed latent."""
    coder, likelihood, tables = Coder(payload), part.likelihood, part.tables
    symbols = [int(tables.offsets[i]) + coder.column(tables.counts[i].tolist()) for i in range(tables.n)]
    known = likelihood.map_network(np.array([symbols], np.int32)).ravel().astype(int).tolist()
    rows, columns, _ = likelihood.map_network.result.shape
    image, limit = np.zeros((2 * rows, 2 * columns), np.uint8), len(likelihood.zero_counts) // 2
    for (row, column), network in zip(PLACES, likelihood.phases, strict=True):
        indices = network(np.array([known], np.int32))[0].astype(int).reshape(rows * columns, -1).tolist()
        zero = [int(likelihood.zero_counts[each[0] + limit]) for each in indices]
        pixels = [255 * coder.column([count, 2**24 - count]) for count in zero]
        for k in range(len(pixels)):
            if pixels[k] and likelihood.values is not None:
                bins = counts_of_values(part, indices[k][1:], error)
                b = coder.column(bins) if len(bins) > 1 else 0
                pixels[k] = min(255, 2 * error + 1 + b * (2 * error + 1))
        image[row::2, column::2] = np.array(pixels).reshape(rows, columns)
        known += pixels
    return symbols, image


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_decoder_written_from_the_page_reads_golden_streams(path: Path) -> None:
    codec, stream = load(GOLDEN / f"{path.stem.split('-')[0]}.vaem"), unpack(path.read_bytes())
    pixels = np.load(path.with_suffix(".npz"))["pixels"]
    height, width = pixels.shape
    if stream.coding == 126:
        image = np.frombuffer(stream.payload, np.uint8).reshape(pixels.shape)
    elif stream.coding == 124:
        bits = "".join(f"{byte:08b}" for byte in stream.payload)
        image = np.array([255 * int(bit) for bit in bits[: pixels.size]]).reshape(pixels.shape)
        assert set(bits[pixels.size :]) <= {"0"}
    else:
        assert stream.coding == (125 if stream.max_error else 127)
        _, whole = decode_by_the_page(codec.lossless.part, stream.payload, stream.max_error)
        image = whole[:height, :width]
    assert np.array_equal(image, pixels)


# the example


def constant_network(inputs: int, values: list[int]) -> ExactNetwork:
    """(1, 1, values), whatever the input."""
    weight, bias = np.zeros((len(values), inputs), np.float32), np.array(values, np.float32)
    high = np.full(inputs, 255, np.int32)
    return ExactNetwork(np.zeros(inputs, np.int32), high, (Reshape((0,), 1, 1), Dense((1,), weight, bias)))


def shown_columns() -> list[tuple[list[int], int, int, int]]:
    """(indices, column, start, count) of each line of the example."""
    rows = [re.split(r"  +", line.strip()) for line in block("example-columns")[1:]]
    numbers = [[int(n) for n in " ".join(row[1:]).split()] for row in rows]
    return [(line[:-3], *line[-3:]) for line in numbers]


def example_part() -> LosslessPart:
    z, e = ([int(n) for n in line.split()[1:]] for line in block("example-part")[:2])
    counts = np.full((2, 255), 2, np.int32)
    counts[0, 0] = counts[1, 254] = 2**24 - 508
    shown = [indices for indices, *_ in shown_columns() if indices]
    likelihood = PixelLikelihood(
        constant_network(1, [7]),
        tuple(constant_network(1 + p, indices) for p, indices in enumerate(shown)),
        np.array(z, np.int32),
        ValueMixture(np.array(e, np.int32), counts),
    )
    tables = CodingTables(
        np.zeros(1, np.int32), np.array([[8388608, 4194304, 4194304]], np.uint32), np.ones(1, np.bool_)
    )
    quantizer = Quantizer(np.zeros(1, np.float32), np.ones(1, np.float32))
    return LosslessPart(b"", quantizer, tables, likelihood, KnownAnswer(np.zeros((64, 1), np.int32), "", ""))


def example_image() -> np.ndarray:
    return np.array([[int(n) for n in line.split()] for line in block("example-image")], np.uint8)


def test_the_examples_bytes_are_what_we_write_and_read() -> None:
    part, image = example_part(), example_image()
    symbols = np.array([[1]], np.int32)
    (payload,) = encode_payloads(part, Bins(0), [1], symbols, image[None]).payloads
    written = bytes.fromhex("".join(line.split("  ")[0] for line in block("example-exact-stream")))
    assert written == pack(CODING_LOSSLESS, FINGERPRINT, None, payload, pixels=image.tobytes())
    found, decoded = decode_payloads(part, Bins(0), [1], [unpack(written).payload])
    assert np.array_equal(found, symbols)
    assert np.array_equal(decoded[0], image)
    assert decode_by_the_page(part, payload, 0)[1].tolist() == image.tolist()


def test_the_examples_columns_are_recomputed() -> None:
    part, image = example_part(), example_image()
    lines, expected = shown_columns(), [(1, 8388608, 4194304)]
    for (row, column), (indices, *_) in zip(PLACES, [line for line in lines if line[0]], strict=True):
        value = int(image[row, column])
        zero = int(part.likelihood.zero_counts[indices[0] + 1])
        expected.append((0, 0, zero) if value == 0 else (1, zero, 2**24 - zero))
        if value:
            counts = counts_of_values(part, indices[1:], 0)
            expected.append((value - 1, sum(counts[: value - 1]), counts[value - 1]))
    assert [line[1:] for line in lines] == expected


def test_the_check_of_the_example_covers_the_pixels() -> None:
    image = example_image()
    written = bytes.fromhex("".join(line.split("  ")[0] for line in block("example-exact-stream")))
    crc = 0xB704CE
    for byte in FINGERPRINT + written[:-3] + zlib.crc32(image.tobytes()).to_bytes(4, "little"):
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            crc ^= 0x1864CFB if crc & 0x1000000 else 0
    assert (crc ^ 0xFFFFFF).to_bytes(3, "big") == written[-3:]


# the model file


def test_a_model_file_holds_the_sections_of_the_page_and_no_others() -> None:
    rows = re.findall(r"^\| (`(?:de|en)code/lossless/[^|]*) \|", SECTION, re.MULTILINE)
    patterns = []
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        patterns += [first, *(f"{first.rpartition('/')[0]}/{name}" for name in others)]
    patterns = [name.replace("/Q/", r"/\d/").replace("P/FIELD", r"\d+/\w+") for name in patterns]
    data = (GOLDEN / "exact.vaem").read_bytes()
    header = json.loads(data[46 : 46 + int.from_bytes(data[10:14], "little")])
    names = [section["name"] for section in header["sections"]]
    for name in names:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), name
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in names), pattern
    assert set(header["meta"]["decode"]) == {"height", "width", "levels", "lossless"}
    keys = set(re.findall(r'^\| `"(\w+)"` \|', SECTION, re.MULTILINE))
    assert set(header["meta"]["decode"]["lossless"]) == keys
    assert DECODE == "decode/lossless/"


def test_the_known_answer_is_hashed_as_the_page_says() -> None:
    part = load(GOLDEN / "exact.vaem").lossless.part
    limit, digest = len(part.likelihood.zero_counts) // 2, hashlib.sha256()
    known = part.likelihood.map_network(part.known_answer.symbols[:1]).ravel().astype(int).tolist()
    for network in part.likelihood.phases:
        result = network(np.array([known], np.int32)).astype("<i4")
        digest.update(result.tobytes())
        for indices in result.reshape(-1, result.shape[-1]).tolist():
            if part.likelihood.zero_counts[indices[0] + limit] >= 2**23:
                known.append(0)
            else:
                counts = counts_of_values(part, indices[1:], 0)
                known.append(1 + counts.index(max(counts)))
    assert digest.hexdigest() == part.known_answer.sha256_one
    assert likelihood_answer(part.likelihood, part.known_answer.symbols) == part.known_answer.sha256_all
