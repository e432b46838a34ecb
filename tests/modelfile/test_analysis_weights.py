"""Packed weights: their inverse, what ONNX Runtime makes of them, and what a model file says of them."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaecodec.codec.analysis import AnalysisSession
from vaecodec.codec.codec import Codec
from vaecodec.errors import BadField, LimitExceeded, ModelError, Truncated
from vaecodec.modelfile.analysis_weights import Analysis, Weights, pack_weights, unpack_weights, with_weights
from vaecodec.modelfile.installed import summary_of, zoo_folder
from vaecodec.modelfile.model import open_model, open_model_file, pack_model, read_model, unpack_model

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)


def as_tensor(numbers: np.ndarray, name: str = "w") -> Weights:
    return Weights(name, numbers, np.linspace(0.5, -2, len(numbers), dtype=np.float32))


@given(st.lists(st.sampled_from([np.int8, np.int16]).flatmap(lambda kind: arrays.arrays(kind, SHAPES)), max_size=3))
def test_unpack_inverts_pack(tensors: list[np.ndarray]) -> None:
    packed = [as_tensor(numbers, f"layer.{k}") for k, numbers in enumerate(tensors)]
    for found, wanted in zip(unpack_weights(pack_weights(packed)), packed, strict=True):
        assert (found.name, found.numbers.dtype) == (wanted.name, wanted.numbers.dtype)
        np.testing.assert_array_equal(found.numbers, wanted.numbers)
        np.testing.assert_array_equal(found.floats, wanted.floats)


@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_the_ends_of_a_number_come_back(kind: type) -> None:
    ends = np.array([[np.iinfo(kind).min, -1, 0, 1, np.iinfo(kind).max]], kind)
    np.testing.assert_array_equal(unpack_weights(pack_weights([as_tensor(ends)]))[0].numbers, ends)


def test_small_weights_take_less_than_the_bytes_that_they_are() -> None:
    numbers = np.rint(np.random.default_rng(0).normal(size=(50, 400)) * 20).astype(np.int16)
    assert len(pack_weights([as_tensor(numbers.astype(np.int8))])) < 0.87 * numbers.size
    assert len(pack_weights([as_tensor(numbers)])) < 0.95 * numbers.size  # of two bytes each


def graph_without_weight() -> bytes:
    """x (b, 4) → x @ w, (b, 3); w is not in it."""
    from onnx import TensorProto, helper

    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    taken, given_ = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", n]) for name, n in (("x", 4), ("y", 3))
    )
    graph = helper.make_graph([node], "analysis", [taken], [given_])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_a_graph_with_its_weights_is_what_the_onnx_package_would_write() -> None:
    import onnx
    from onnx import numpy_helper

    tensor = as_tensor(np.arange(-6, 6, dtype=np.int8).reshape(4, 3))
    plain = onnx.load_model_from_string(graph_without_weight())
    plain.graph.initializer.append(numpy_helper.from_array(tensor.floats, "w"))
    assert onnx.load_model_from_string(with_weights(graph_without_weight(), [tensor])) == plain


def test_onnx_runtime_computes_with_the_weights() -> None:
    tensor = as_tensor(np.arange(-6, 6, dtype=np.int8).reshape(4, 3))
    session = onnxruntime.InferenceSession(with_weights(graph_without_weight(), [tensor]))
    x = np.eye(4, dtype=np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], tensor.floats)


def test_a_weight_that_the_graph_has_already_or_does_not_have_is_an_error_of_ours() -> None:
    tensor = as_tensor(np.ones((4, 3), np.int8))
    images = np.zeros((1, 2, 2), np.uint8)
    for analysis in (
        Analysis(graph_without_weight()),
        Analysis(with_weights(graph_without_weight(), [tensor]), pack_weights([tensor])),
        Analysis(graph_without_weight(), pack_weights([as_tensor(np.ones((5, 3), np.int8))])),
    ):
        with pytest.raises(ModelError):
            AnalysisSession(analysis)(images)


def test_a_name_in_several_tensors_and_too_many_numbers_are_refused() -> None:
    one = as_tensor(np.ones((1, 1), np.int8))
    with pytest.raises(BadField, match="same name"):
        unpack_weights(pack_weights([one, one]))
    with pytest.raises(LimitExceeded, match="1025 tensors"):
        unpack_weights(pack_weights([as_tensor(one.numbers, str(k)) for k in range(1025)]))


def packed_model(weights: bytes) -> bytes:
    model = read_model(GOLDEN / "tiny.vaem")
    return pack_model(replace(model, analysis=Analysis(model.analysis.graph, weights)))


def test_a_model_file_keeps_packed_weights_and_its_fingerprint() -> None:
    weights = pack_weights([as_tensor(np.ones((2, 2), np.int8))])
    found = unpack_model(packed_model(weights))
    assert found.analysis.weights == weights
    assert found.fingerprint == read_model(GOLDEN / "tiny.vaem").fingerprint


def test_damaged_weights_do_not_keep_a_model_from_decoding() -> None:
    data = packed_model(b"\1\0")
    codec = Codec(open_model(data))
    stream = (GOLDEN / "streams" / "tiny-digit-0.bin").read_bytes()
    assert codec.decompress(stream).shape == (28, 28)
    with pytest.raises(Truncated, match="need 1 bytes"):
        codec.compress(np.zeros((28, 28), np.uint8))


def test_the_largest_analysis_of_one_geometry_that_ships_is_whole_in_under_150_ms_of_a_core() -> None:
    paths = [path for path in zoo_folder().glob("*.vaem") if not summary_of(path).is_photograph]
    models = [open_model_file(path) for path in paths]
    parts = [m.analysis for m in models] + [m.stored_lossless.analysis for m in models if m.stored_lossless]
    largest = max(parts, key=lambda analysis: len(analysis.weights))
    seconds = []
    for _ in range(3):
        began = time.process_time()  # of this process alone, however busy the machine is
        largest.whole()
        seconds.append(time.process_time() - began)
    assert len(largest.weights) > 2_000_000
    assert min(seconds) < 0.15
