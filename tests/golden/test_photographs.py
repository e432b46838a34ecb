"""Photographs decode to the same pixels by every engine, in any stripes, with any number of threads."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.photo import coder
from vaecodec.photo.convolution import ExactConvolution

HERE = Path(__file__).resolve().parent / "v2"
GOLDEN = json.loads((HERE / "hashes.json").read_text())
NAMES = list(GOLDEN["sha256"])
OTHER_THREADS = """
import hashlib, json, sys
from pathlib import Path
import vaecodec
codec = vaecodec.load("photo")
found = {}
for path in Path(sys.argv[1]).glob("*.vae"):
    found[path.stem] = hashlib.sha256(codec.decompress(path.read_bytes()).tobytes()).hexdigest()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def codec():
    found = vaecodec.load("photo")
    if found.fingerprint.hex() != GOLDEN["model"]:
        pytest.fail("the released photograph model is not the one that the golden streams are of")
    return found


def hash_of(codec, name: str) -> str:
    return hashlib.sha256(codec.decompress((HERE / f"{name}.vae").read_bytes()).tobytes()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_decodes_to_the_same_pixels_for_ever(codec, name):
    assert hash_of(codec, name) == GOLDEN["sha256"][name]


@pytest.mark.parametrize("rows", [64, 128, 1000])
def test_stripes_are_the_whole_picture(codec, name_of_each_level, rows, monkeypatch):
    monkeypatch.setattr(coder, "_stripes", lambda first, last, width: stripes(first, last, rows // 16))
    for name in name_of_each_level:
        assert hash_of(codec, name) == GOLDEN["sha256"][name]


@pytest.mark.parametrize("engine", ["float64", "torch"])
def test_engines_give_the_same(codec, name_of_each_level, engine, monkeypatch):
    ENGINES[engine](monkeypatch)
    for name in name_of_each_level:
        assert hash_of(codec, name) == GOLDEN["sha256"][name]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads):
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", OTHER_THREADS, str(HERE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == GOLDEN["sha256"]


@pytest.fixture
def name_of_each_level():
    """Streams of other crops at other levels; the first two photographs at all levels."""
    return [name for k, name in enumerate(NAMES) if k < 8 or k % 5 == 0]


def stripes(first, last, rows):
    return [(begin, min(last, begin + rows)) for begin in range(first, last, rows)]


def use_float64(monkeypatch) -> None:
    """Products and sums in float64 alone."""

    def factors(self):
        kernel, _, channels, out = self.weights.shape
        taps = self.weights.astype(np.float64).reshape(kernel, kernel * channels, out)
        return taps, self.bias + np.exp2(self.shift - 1.0), np.exp2(-1.0 * self.shift)

    monkeypatch.setattr(ExactConvolution, "_factors", property(factors))


def use_torch(monkeypatch) -> None:
    """Products by torch's convolution in float64."""
    torch = pytest.importorskip("torch")
    use_float64(monkeypatch)

    def row_block(self, band, begin, end, out):
        radius = len(self.weights) // 2
        padded = torch.from_numpy(self._padded(band, begin - radius, end + radius)).permute(2, 0, 1)[None]
        taps = torch.from_numpy(self.weights.astype(np.float64)).permute(3, 2, 0, 1)
        sums = torch.nn.functional.conv2d(padded, taps)[0].permute(1, 2, 0).numpy()
        self._rounded(iter((sums.reshape(-1, sums.shape[2]).copy(),)), out.reshape(-1, out.shape[2]))

    monkeypatch.setattr(ExactConvolution, "_row_block", row_block)


ENGINES = {"float64": use_float64, "torch": use_torch}
