"""A damaged analysis graph is an error of ours, and nothing is printed: standard output may be a stream's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.errors import ModelError

CODEC = vaecodec.load(Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem")


def test_onnx_runtime_prints_nothing_of_a_damaged_graph(capfd):
    rng = np.random.default_rng(0)
    graph, refused = CODEC.model.analysis.graph, 0
    for _ in range(60):
        damaged = bytearray(graph)
        for _ in range(3):
            damaged[int(rng.integers(0, 400))] ^= int(rng.integers(1, 256))
        codec = vaecodec.Codec(replace(CODEC.model, analysis=replace(CODEC.model.analysis, graph=bytes(damaged))))
        try:
            codec.compress(np.zeros((28, 28), np.uint8))
        except ModelError:
            refused += 1
    assert refused > 20
    with pytest.raises(ModelError, match="analysis graph"):
        vaecodec.Codec(replace(CODEC.model, analysis=replace(CODEC.model.analysis, graph=graph[:1000]))).compress(
            np.zeros((28, 28), np.uint8)
        )
    assert capfd.readouterr() == ("", "")
