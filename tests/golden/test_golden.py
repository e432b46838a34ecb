"""Files written once: they decode to the stored symbols and pixels for ever, and damaged ones raise what they say."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec import errors
from vaecodec.bitstream.stream import CODED_EXACTLY, STORED, is_exact, pack, unpack
from vaecodec.codec.codec import Codec
from vaecodec.modelfile.model import pack_model, read_model, unpack_model
from vaecodec.pixels.coder import decode_payloads, encode_payloads
from vaecodec.pixels.near_lossless import Bins

HERE = Path(__file__).parent / "v1"
WINDOWED = HERE.with_name("v3")
STREAMS = sorted([*(HERE / "streams").glob("*.bin"), *(WINDOWED / "streams").glob("*.bin")])
LOSSY = [path for path in STREAMS if not is_exact(path.read_bytes())]
CODED = [path for path in STREAMS if path.read_bytes()[1] & 127 in CODED_EXACTLY]
BAD = sorted([*(HERE / "bad").glob("*.bin"), *(WINDOWED / "bad").glob("*.bin")])
FINGERPRINTS = {
    "bits": "7cab98994ee0cec316f1d04fe0656bffb46c8b9095f9da9549bede2770dad2ee",
    "exact": "4b7b3fe3719cfe7f1024075787f644ebd7bccbcd601f60f651d6c12ea48134e2",
    "groups": "4c2b31ed218beff9c0391d82e8fb9cf64f882651c17847c08d1a8ceca1e9bdcd",
    "joined": "15ebd09d314a30e6bf3c70d3dea0ac832629c7fb27c5702ee58f52cc107141ec",
    "mini": "b9dfadbca62f090588c3168137bfbdc71e397e49e3433fa268eacf5c718c288b",
    "tiny": "fdbe6ca58b4f936ef2e1de8d3a8f4de0133626522d3ca59330b3af6cf998511c",
}


@cache
def codec(name: str) -> Codec:
    return vaecodec.load(HERE / f"{name}.vaem")


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", STREAMS, ids=stem)
def test_a_golden_stream_decodes_to_the_stored_symbols_and_pixels(path: Path) -> None:
    model = codec(path.stem.split("-")[0])
    stored = np.load(path.with_suffix(".npz"))
    if path in LOSSY:
        _, symbols = model.lossy.parse(path.read_bytes())
        assert symbols.dtype == np.int32
        np.testing.assert_array_equal(symbols, stored["symbols"])
    np.testing.assert_array_equal(model.decompress(path.read_bytes()), stored["pixels"])
    assert ("values" in stored) == ("windowed" in path.stem)
    if "values" in stored:
        values = model.restore(path.read_bytes())
        assert values.dtype == stored["values"].dtype
        np.testing.assert_array_equal(values, stored["values"])


@pytest.mark.parametrize("path", CODED, ids=stem)
def test_a_golden_exact_stream_is_what_its_symbols_and_pixels_encode_to(path: Path) -> None:
    model, data = codec(path.stem.split("-")[0]), path.read_bytes()
    stream, bins = unpack(data), Bins(unpack(data).max_error)
    part = model.lossless.part
    symbols, images = decode_payloads(part, bins, [1], [stream.payload])
    (payload,) = encode_payloads(part, bins, [1], symbols, images).payloads
    pixels = np.load(path.with_suffix(".npz"))["pixels"].tobytes()
    sealed = {"max_error": stream.max_error, "pixels": pixels, "window": stream.window}
    assert pack(stream.coding, model.fingerprint, stream.size, payload, **sealed) == data


def test_there_is_a_golden_stream_of_every_exact_coding() -> None:
    assert {path.read_bytes()[1] & 127 for path in STREAMS if path not in LOSSY} == CODED_EXACTLY | STORED


@pytest.mark.parametrize("path", LOSSY, ids=stem)
def test_stored_symbols_encode_to_the_golden_streams_bytes(path: Path) -> None:
    model = codec(path.stem.split("-")[0])
    stream, _ = model.lossy.parse(path.read_bytes())
    payload = model.lossy.encode_payload(np.load(path.with_suffix(".npz"))["symbols"], stream.coding)
    assert pack(stream.coding, model.fingerprint, stream.size, payload, window=stream.window) == path.read_bytes()


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_golden_models_fingerprint_is_what_it_was(name: str) -> None:
    assert codec(name).fingerprint.hex() == FINGERPRINTS[name]


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_golden_model_packs_to_its_own_bytes(name: str) -> None:
    data = (HERE / f"{name}.vaem").read_bytes()
    assert pack_model(unpack_model(data)) == data


def test_golden_streams_in_one_batch_are_the_same_pixels() -> None:
    paths = [path for path in STREAMS if path.stem.startswith("mini")]
    images = codec("mini").decompress_batch([path.read_bytes() for path in paths])
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(image, np.load(path.with_suffix(".npz"))["pixels"])


def use(path: Path) -> None:
    data = path.read_bytes()
    if "-model-" in path.stem:
        unpack_model(data)
    elif "-use-exact-" in path.stem:
        Codec(unpack_model(data)).compress(np.zeros((4, 4), np.uint8), lossless=True)
    elif "-exact-" in path.stem or "-bits-" in path.stem:
        codec(path.stem.split("-")[1]).decompress(data)
    elif "-use-groups-" in path.stem:
        Codec(unpack_model(data)).lossy.decode_payload(b"")
    elif "-use-" in path.stem:
        model = Codec(unpack_model(data))
        model.lossy.synthesise(np.zeros((1, model.model.latents), np.int32))
    else:
        codec("tiny").decompress(data)


@pytest.mark.parametrize("path", BAD, ids=stem)
def test_a_damaged_file_raises_the_error_that_its_name_says(path: Path) -> None:
    with pytest.raises(errors.VaecodecError) as caught:
        use(path)
    assert type(caught.value).__name__ == path.stem.split("-")[0]
    message = str(caught.value)
    assert message
    assert "\n" not in message


@pytest.mark.parametrize("path", [p for p in BAD if "-use-" in p.stem], ids=stem)
def test_a_model_that_fails_in_use_is_sound_as_a_file(path: Path) -> None:
    names = {"exact": "golden-exact-small", "groups": "golden-groups-1"}
    assert read_model(path).name == names.get(path.stem.split("-")[2], "golden-mini-1")


def test_there_is_damage_for_every_kind_of_format_error() -> None:
    kinds = {kind.__name__ for kind in errors.FormatError.__subclasses__()}
    kinds |= {"ModelMismatch", "KnownAnswerMismatch", "NotExact"}
    assert kinds <= {path.stem.split("-")[0] for path in BAD}
