"""A graph holds plain operators and tensors, or ONNX Runtime never sees it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.codec.lossless import LosslessCodec
from vaecodec.errors import BadField, FormatError, LimitExceeded, ModelError, Truncated
from vaecodec.limits import lifted
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.installed import installed_models, read_installed
from vaecodec.modelfile.onnx_graph import Expected, check_graph
from vaecodec.modelfile.onnx_session import start_session
from vaecodec.photo.model import open_photo_model

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
GEOMETRY = Expected((None, 2, 3), (None, 4))


def sound():
    """A graph that takes images (b, 2, 3) and gives latents (b, 4)."""
    weights = np.arange(24, dtype=np.float32).reshape(6, 4)
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    ports = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 2, 3]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 4]),
    ]
    tensors = [numpy_helper.from_array(weights, "w")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def given(change) -> bytes:
    proto = sound()
    change(proto)
    return proto.SerializeToString()


def external(proto):
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external_without_a_place(proto):
    proto.graph.initializer[0].data_location = TensorProto.EXTERNAL


def loop(proto):
    node = helper.make_node("If", ["c"], ["z"], then_branch=proto.graph, else_branch=proto.graph)
    proto.graph.node.append(node)


def subgraph(proto):
    proto.graph.node[0].attribute.append(helper.make_attribute("body", sound().graph))


def function(proto):
    proto.functions.append(helper.make_function("own", "f", [], [], [], [helper.make_opsetid("", 17)]))


def other_domain(proto):
    proto.graph.node[0].domain = "com.microsoft"


def other_operators(proto):
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def sparse(proto):
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    proto.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, [1], [0]), [6])
    )


def text_tensor(proto):
    proto.graph.initializer.append(helper.make_tensor("t", TensorProto.STRING, [1], [b"x"]))


def larger_than_its_bytes(proto):
    proto.graph.initializer[0].dims[0] = 7


def negative_side(proto):
    proto.graph.initializer[0].dims[0] = -6


REFUSED = {
    name: change
    for name, change in list(globals().items())
    if callable(change) and getattr(change, "__code__", None) and change.__code__.co_varnames[:1] == ("proto",)
}


def test_a_sound_graph_is_taken():
    check_graph(sound().SerializeToString(), GEOMETRY)
    y = start_session(Analysis(sound().SerializeToString()), GEOMETRY).run(None, {"x": np.ones((2, 2, 3), np.float32)})
    assert y[0].shape == (2, 4)


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_graph_of_ours_needs_is_refused_before_onnx_runtime_sees_it(what, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("ONNX Runtime saw the graph"))
    data = given(REFUSED[what])
    with pytest.raises(BadField):
        check_graph(data)
    with pytest.raises(ModelError, match="analysis graph"):
        start_session(Analysis(data))


def test_the_changes_are_many():
    assert len(REFUSED) == 11


def test_more_nodes_and_numbers_than_allowed_are_refused():
    data = sound().SerializeToString()
    with lifted(graph_nodes=1), pytest.raises(LimitExceeded, match="2 nodes"):
        check_graph(data)
    with lifted(graph_nodes=2, graph_numbers=23), pytest.raises(LimitExceeded, match="more than 23 numbers"):
        check_graph(data)
    with lifted(graph_nodes=2, graph_numbers=24):
        check_graph(data)


@pytest.mark.parametrize(
    "expected",
    [
        Expected((None, 3, 2), (None, 4)),
        Expected((None, 2, 3, 3), (None, 4)),
        Expected((None, 2, 3), (None, 5)),
        Expected((1, 2, 3), (None, 4)),
    ],
)
def test_a_graph_of_another_geometry_is_refused(expected):
    with pytest.raises(BadField, match="expected float32"):
        check_graph(sound().SerializeToString(), expected)


def test_a_graph_of_other_ports_is_refused():
    def another_output(proto):
        proto.graph.output.append(proto.graph.output[0])

    def of_doubles(proto):
        proto.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE

    def a_second_of_floats(proto):
        proto.graph.input.append(helper.make_tensor_value_info("l", TensorProto.FLOAT, ["b"]))

    for change in (another_output, of_doubles, a_second_of_floats):
        with pytest.raises(BadField):
            check_graph(given(change), GEOMETRY)


def test_any_bytes_are_taken_or_refused_by_an_error_of_ours():
    rng, data = np.random.default_rng(0), sound().SerializeToString()
    kinds = set()
    for end in range(len(data)):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[int(rng.integers(0, 120))] = int(rng.integers(0, 256))
        for tried in (data[:end], bytes(damaged), rng.bytes(30)):
            try:
                check_graph(tried, GEOMETRY)
            except FormatError as error:
                kinds.add(type(error))
    assert {BadField, Truncated} <= kinds


def test_what_a_graph_gives_is_checked_against_the_geometry():
    codec = vaecodec.load(GOLDEN / "exact.vaem")
    part, black = codec.lossless.part, codec.frame.fit(np.zeros((28, 28), np.uint8))
    proto = onnx.load_model_from_string(part.analysis.graph)
    (weights,) = proto.graph.initializer
    values = numpy_helper.to_array(weights)
    for changed, message in (
        (np.full_like(values, np.nan), "finite"),
        (np.ascontiguousarray(values[:, :3]), "expected finite float32 1x4"),
    ):
        weights.CopyFrom(numpy_helper.from_array(changed, weights.name))
        other = replace(part, analysis=Analysis(proto.SerializeToString()))
        with pytest.raises(ModelError, match=message):
            LosslessCodec(other, codec.frame, codec.fingerprint).analyse([black])


def test_the_graphs_of_every_installed_model_are_taken():
    checked = 0
    for model in installed_models():
        if not model.summary.has_analysis:
            continue
        if model.summary.is_photograph:
            encoder = open_photo_model(model.path).encoder
            check_graph(encoder.analysis.whole(), Expected((1, 3, None, None), (1, encoder.gain.shape[1], None, None)))
            check_graph(encoder.hyper.whole())
        else:
            found = read_installed(model.path)
            if found.levels:
                check_graph(found.analysis.whole(), Expected((None, *found.shape), (None, found.latents)))
            if found.lossless is not None:
                check_graph(found.lossless.analysis.whole())
        checked += 1
    assert checked >= 4
