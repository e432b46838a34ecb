"""Colour: a model of three channels goes the same way as one of grey, from pixels to bytes, archives, and back."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec
from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.choice import Advice, Choice
from vaecodec.codec.codec import Codec
from vaecodec.codec.images import natural_pixels, read_pixels
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.errors import (
    BadField,
    ImageError,
    ImageModeError,
    ImageSizeError,
    LimitExceeded,
    ModelError,
    ModelNotFound,
    NotCanonical,
)
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH, make_known_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Rescale, Reshape
from vaecodec.modelfile import installed
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.derived import join_models
from vaecodec.modelfile.levels import Level
from vaecodec.modelfile.model import Model, pack_model, read_model, unpack_model
from vaecodec.modelfile.summary import read_summary

pytest.importorskip("onnx")

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
LATENTS, COLUMNS = 6, 17


def analysis_graph(shape: tuple[int, ...], seed: int) -> Analysis:
    """ONNX: float32 (b, *shape) → float32 (b, n)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(seed).normal(size=(math.prod(shape), LATENTS)).astype(np.float32)
    weight *= np.float32(8 / math.sqrt(len(weight)))
    constants = [
        numpy_helper.from_array(np.array([-1, len(weight)]), "flat"),
        numpy_helper.from_array(weight, "weight"),
    ]
    nodes = [helper.make_node("Reshape", ["x", "flat"], ["row"]), helper.make_node("MatMul", ["row", "weight"], ["y"])]
    taken = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", *shape])]
    given = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", LATENTS])]
    graph = helper.make_graph(nodes, "analysis", taken, given, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return Analysis(made.SerializeToString())


def made_up_model(name: str, height: int, width: int, channels: int, *, levels: int = 2) -> Model:
    """Random weights, flat tables, an analysis that is one matrix product; finer levels have smaller steps."""
    rng = np.random.default_rng(channels)
    shape = (height, width) if channels == 1 else (height, width, channels)
    values = height * width * channels
    weight = rng.integers(-300, 301, (values, LATENTS)).astype(np.float32)
    reach = np.full(LATENTS, 100, np.int32)
    ops = (
        Dense((0,), weight, np.full(values, 128 << 4, np.float32)),
        Rescale((1,), np.array([4], np.uint8), 0, 255),
        Reshape((2,), height, width),
    )
    network = ExactNetwork(-reach, reach, ops)
    flat = CodingTables(
        np.full(LATENTS, -(COLUMNS // 2), np.int32),
        counts_from_probabilities(np.ones((LATENTS, COLUMNS + 1))),
        np.ones(LATENTS, np.bool_),
    )
    steps = [np.full(LATENTS, 2.0 ** (levels - k), np.float32) for k in range(levels)]
    zero = np.zeros(LATENTS, np.float32)
    return Model(
        name=name,
        family="made-up",
        height=height,
        width=width,
        channels=channels,
        levels=tuple(Level(2.0**-k, flat, Quantizer(zero, step)) for k, step in enumerate(steps)),
        analysis=analysis_graph(shape, channels),
        synthesis=network,
        known_answer=make_known_answer(network, rng.integers(-9, 10, (KNOWN_ANSWER_BATCH, LATENTS)).astype(np.int32)),
        about={"config": {"objective": {"likelihood": "gaussian", "pixel_sigma": 0.1}}},
    )


HEIGHT, WIDTH = 10, 14
CODEC = Codec(made_up_model("rgb", HEIGHT, WIDTH, 3))
GREY = Codec(made_up_model("grey", HEIGHT, WIDTH, 1))
IMAGES = np.random.default_rng(0).integers(0, 256, (130, HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_a_codec_says_what_it_takes() -> None:
    assert (CODEC.geometry, CODEC.channels) == ((HEIGHT, WIDTH), 3)
    assert (GREY.geometry, GREY.channels) == ((HEIGHT, WIDTH), 1)
    assert repr(CODEC) == "<Codec rgb: 10x14 RGB>"


@pytest.mark.parametrize("level", [0, 1])
def test_images_come_back_as_the_synthesis_of_their_symbols(level: int) -> None:
    symbols = CODEC.lossy.analyse(IMAGES, level)
    assert symbols.shape == (len(IMAGES), LATENTS)
    assert len(np.unique(symbols)) > 5
    streams = CODEC.compress_batch(IMAGES, level=level)
    decoded = CODEC.decompress_batch(streams)
    np.testing.assert_array_equal(decoded, CODEC.lossy.synthesise(symbols, level))
    assert decoded[0].shape == (HEIGHT, WIDTH, 3)
    assert (np.stack(decoded)[..., 0] != np.stack(decoded)[..., 1]).any()
    for k in (0, 77):
        assert CODEC.compress(IMAGES[k], level=level) == streams[k]
        np.testing.assert_array_equal(CODEC.decompress(streams[k]), decoded[k])


def test_a_smaller_image_is_padded_in_its_two_directions_and_costs_two_bytes() -> None:
    image = IMAGES[0, :7, :9]
    whole = np.pad(image, ((0, 3), (0, 5), (0, 0)), mode="edge")
    small = CODEC.compress(image)
    assert unpack(small).size == (7, 9)
    assert len(small) == len(CODEC.compress(whole)) + 2
    np.testing.assert_array_equal(CODEC.decompress(small), CODEC.decompress(CODEC.compress(whole))[:7, :9])
    mixed = CODEC.decompress_batch(CODEC.compress_batch([image, IMAGES[1], IMAGES[2, :1, :1]]))
    assert [one.shape for one in mixed] == [(7, 9, 3), (HEIGHT, WIDTH, 3), (1, 1, 3)]


def test_targets_are_met_in_colour_too() -> None:
    errors = [
        float(np.square(CODEC.decompress(CODEC.compress(IMAGES[0], level=k)) / 1.0 - IMAGES[0]).mean()) for k in (0, 1)
    ]
    data = CODEC.compress(IMAGES[0], max_mse=max(errors))
    assert float(np.square(CODEC.decompress(data) / 1.0 - IMAGES[0]).mean()) <= max(errors)
    size = max(len(CODEC.compress(IMAGES[0], level=k)) for k in (0, 1))
    assert len(CODEC.compress(IMAGES[0], target_bytes=size)) <= size


def test_effort_makes_no_image_in_colour_worse() -> None:
    def cost(data: bytes, image: np.ndarray) -> float:
        stream, symbols = CODEC.lossy.parse(data)
        error = np.square((CODEC.decompress(data) / 1.0 - image) / 255).sum() / (2 * 0.1**2)
        nats = CODEC.lossy.information_bits(symbols[None], stream.coding)[0] * np.log(2)
        return float(nats + error / CODEC.model.levels[stream.coding].beta)

    for image in (IMAGES[3], IMAGES[4, :6, :5]):
        without, with_effort = (cost(CODEC.compress(image, level=1, effort=effort), image) for effort in (0, 2))
        assert with_effort < without


def test_any_picture_becomes_what_the_model_takes() -> None:
    red = Image.fromarray(IMAGES[0])
    expected = CODEC.compress(IMAGES[0])
    opaque = red.copy()
    opaque.putalpha(255)
    assert CODEC.compress(red) == CODEC.compress(opaque) == expected
    grey = IMAGES[0, ..., 0]
    thrice = CODEC.compress(np.repeat(grey[..., None], 3, axis=2))
    assert CODEC.compress(grey) == CODEC.compress(Image.fromarray(grey)) == thrice
    assert GREY.compress(np.repeat(grey[..., None], 3, axis=2)) == GREY.compress(grey)
    assert CODEC.compress(Image.fromarray(grey > 90)) == CODEC.compress((grey > 90) * np.uint8(255))


def test_what_would_lose_something_is_refused() -> None:
    clear = Image.fromarray(IMAGES[0])
    clear.putalpha(254)
    for image, remedy in ((clear, "takes RGB"), (Image.fromarray(IMAGES[0]).convert("CMYK"), "profile")):
        with pytest.raises(ImageModeError, match=remedy):
            CODEC.compress(image)
    with pytest.raises(ImageModeError, match="takes grey"):
        GREY.compress(IMAGES[0])
    for shape in ((HEIGHT, WIDTH, 4), (HEIGHT, WIDTH, 1), (2, HEIGHT, WIDTH, 3), (0, WIDTH, 3)):
        with pytest.raises(ImageError):
            CODEC.compress(np.zeros(shape, np.uint8))
    with pytest.raises(ImageSizeError, match="at most 10x14"):
        CODEC.compress(np.zeros((HEIGHT + 1, WIDTH, 3), np.uint8))


def test_a_picture_is_read_as_it_is_by_itself(tmp_path: Path) -> None:
    Image.fromarray(IMAGES[0]).save(tmp_path / "colour.png")
    Image.fromarray(np.repeat(IMAGES[0, ..., :1], 3, axis=2)).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_pixels(str(tmp_path / "colour.png")), IMAGES[0])
    np.testing.assert_array_equal(read_pixels(str(tmp_path / "grey.png")), IMAGES[0, ..., 0])
    assert natural_pixels(IMAGES[0]).shape == (HEIGHT, WIDTH, 3)
    assert read_pixels(str(tmp_path / "grey.png"), 3).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("embed", [False, True])
def test_an_archive_holds_colour_and_gives_it_back(tmp_path: Path, embed: bool) -> None:
    path, sizes = tmp_path / "a.vaea", [image[: HEIGHT - k % 3] for k, image in enumerate(IMAGES[:40])]
    with vaecodec.ArchiveWriter.create(path, CODEC, level=1, block_images=16, embed_model=embed) as writer:
        writer.add_batch(sizes, names=[f"{k}.png" for k in range(40)])
        writer.add(Image.fromarray(IMAGES[50]), "pillow")
    expected = CODEC.decompress_batch(CODEC.compress_batch([*sizes, IMAGES[50]], level=1))
    with vaecodec.Archive(path, model=None if embed else CODEC) as archive:
        assert archive.verify().whole
        for found, image in zip(archive, expected, strict=True):
            np.testing.assert_array_equal(found, image)
        np.testing.assert_array_equal(archive["3.png"], expected[3])
        assert archive.batch([0, 3, 40]).shape == (3, HEIGHT, WIDTH, 3)
    with vaecodec.ArchiveWriter.append(path, None if embed else CODEC) as writer:
        writer.add(IMAGES[60])
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == 42


def test_the_model_file_says_three_channels_and_says_nothing_of_one(tmp_path: Path) -> None:
    for codec, said in ((CODEC, {"channels": 3}), (GREY, {})):
        data = pack_model(codec.model)
        meta, _ = unpack_container(data)
        assert {key: value for key, value in meta["decode"].items() if key == "channels"} == said
        again = unpack_model(data)
        assert (again.channels, again.fingerprint) == (codec.channels, codec.fingerprint)
        (tmp_path / "model.vaem").write_bytes(data)
        summary = read_summary(tmp_path / "model.vaem")
        assert (summary.channels, summary.fingerprint) == (codec.channels, codec.fingerprint)
        assert Codec(again).compress(IMAGES[0, ..., 0]) == codec.compress(IMAGES[0, ..., 0])


def changed(model: Model, **decode: object) -> bytes:
    meta, sections = unpack_container(pack_model(model))
    meta["decode"].update(decode)
    return pack_container(meta, {name: bytes(data) for name, data in sections.items()})


@pytest.mark.parametrize(
    ("codec", "channels", "error"),
    [(GREY, 1, NotCanonical), (GREY, 3, BadField), (GREY, 2, BadField), (CODEC, 4, BadField), (CODEC, "3", BadField)],
)
def test_channels_are_spelt_in_one_way(codec: Codec, channels: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        unpack_model(changed(codec.model, channels=channels))


def test_a_lossless_part_is_of_grey_images() -> None:
    exact = read_model(GOLDEN / "exact.vaem")
    with pytest.raises(BadField, match="codes grey images"):
        unpack_model(changed(exact, channels=3))
    with pytest.raises(ModelError, match="28x28x3, golden-exact-1 for 28x28x1"):
        join_models(made_up_model("large", 28, 28, 3), exact, "joined")
    with pytest.raises(ModelError, match="no lossless part"):
        CODEC.compress(IMAGES[0], lossless=True)


ADVICE = Advice("name one", "fetch it")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both models, under aliases."""
    (tmp_path / "aliases.json").write_text(json.dumps({"colours": "rgb", "greys": "grey"}))
    monkeypatch.setattr(installed, "zoo_folder", lambda: tmp_path)
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))
    for codec in (CODEC, GREY):
        (tmp_path / f"{codec.model.name}.vaem").write_bytes(pack_model(codec.model))
    return tmp_path


def test_the_model_of_a_picture_is_one_of_its_size_and_channels(zoo: Path) -> None:
    choice = Choice(ADVICE)
    assert choice.for_image((HEIGHT, WIDTH, 3)).model.name == "rgb"
    assert choice.for_image((HEIGHT, WIDTH)).model.name == "grey"
    assert choice.for_stream(CODEC.compress(IMAGES[0])).model.name == "rgb"
    with pytest.raises(
        ModelNotFound, match=r"colours/rgb \(10x14 in colour, .*; grey takes this image, padded. name one"
    ):
        choice.for_image((HEIGHT, WIDTH - 1))


def test_pillow_saves_and_opens_streams_and_archives_of_colour(zoo: Path) -> None:
    import vaecodec.integrations.pillow

    Image.fromarray(IMAGES[0]).save(zoo / "a.vae", level=1)
    with Image.open(zoo / "a.vae") as found:
        assert (found.mode, found.size) == ("RGB", (WIDTH, HEIGHT))
        np.testing.assert_array_equal(np.array(found), CODEC.decompress(CODEC.compress(IMAGES[0], level=1)))
    with vaecodec.ArchiveWriter.create(zoo / "a.vaea", CODEC, level=1) as writer:
        writer.add(IMAGES[0])
    with Image.open(zoo / "a.vaea") as frames:
        assert frames.mode == "RGB"
        np.testing.assert_array_equal(np.array(frames), CODEC.decompress(CODEC.compress(IMAGES[0], level=1)))


def test_grey_goes_to_a_model_of_colour_where_there_is_no_other_and_colour_to_none_of_grey(zoo: Path) -> None:
    (zoo / "grey.vaem").unlink()
    assert Choice(ADVICE).for_image((HEIGHT, WIDTH)).model.name == "rgb"
    (zoo / "rgb.vaem").unlink()
    (zoo / "grey.vaem").write_bytes(pack_model(GREY.model))
    with pytest.raises(ImageModeError, match=r"image with colour: .*convert\('L'\)"):
        Choice(ADVICE).for_image((HEIGHT, WIDTH, 3))


def test_a_model_larger_than_a_written_size_codes_its_own_size_and_refuses_by_name_what_cannot_be_said(
    tmp_path: Path,
) -> None:
    wide = Codec(unpack_model(pack_model(made_up_model("wide", 4, 300, 3))))
    image = np.resize(IMAGES, (4, 300, 3))
    data = wide.compress(image)
    assert unpack(data).size is None
    np.testing.assert_array_equal(
        wide.decompress(data), wide.lossy.synthesise(wide.lossy.analyse(image[None], 0), 0)[0]
    )
    assert wide.decompress(wide.compress(image[:, :256])).shape == (4, 256, 3)
    with pytest.raises(ImageSizeError, match="version 1 of the stream writes sizes of at most 256x256"):
        wide.compress(image[:, :257])
    with pytest.raises(LimitExceeded, match="version 1 of the archive"):
        vaecodec.ArchiveWriter.create(tmp_path / "a.vaea", wide)
    assert not (tmp_path / "a.vaea").exists()
    with pytest.raises(BadField, match=r"not in 1\.\.65535"):
        unpack_model(changed(replace(GREY.model, width=65536)))
