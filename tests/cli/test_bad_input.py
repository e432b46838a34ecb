"""Whatever is given as input: one line that says what is wrong, exit code 1, and no output."""

import hashlib
import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from vaecodec.bitstream.container import unpack_container, unpack_header
from vaecodec.bitstream.stream import pack
from vaecodec.errors import VaecodecError
from vaecodec.modelfile.model import pack_model
from vaecodec.modelfile.summary import read_summary

NAME = "golden-tiny-1"


@pytest.fixture
def rejected(fails, tmp_path):
    """rejected(data): the message of decompressing these bytes, which must write nothing."""

    def decompress(data):
        (tmp_path / "bad.vae").write_bytes(data)
        message = fails("decompress", "bad.vae")
        assert message.startswith("vaecodec: error: bad.vae: ")
        assert [path.name for path in tmp_path.iterdir()] == ["bad.vae"]
        return message

    return decompress


def test_an_empty_file(rejected, fails):
    assert "offset 0" in rejected(b"")
    assert "offset 0" in fails("info", "bad.vae")


def test_a_file_cut_anywhere(rejected, stream):
    for length in range(1, len(stream)):
        rejected(stream[:length])


def test_every_single_flipped_bit(rejected, stream):
    for place in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[place // 8] ^= 1 << place % 8
        rejected(bytes(damaged))


def test_trailing_bytes(rejected, stream):
    for tail in (b"\0", b"\n", b"\xff\xff", stream):
        rejected(stream + tail)


def test_another_formats_file(rejected, fails, digit, tiny):
    assert "not a stream" in rejected(digit.read_bytes())
    assert "not a stream" in rejected(tiny.read_bytes())
    assert "neither a stream nor a model file" in fails("info", digit)


def test_a_huge_geometry(rejected, codec):
    assert "256x256 exceeds the model's 28x28" in rejected(pack(0, codec.fingerprint, (256, 256), b""))


def test_a_level_that_the_model_does_not_have(rejected, codec):
    assert "offset 1: level 3" in rejected(pack(3, codec.fingerprint, None, b""))


@pytest.mark.parametrize("version", [0, 4, 7])
def test_an_unknown_version(rejected, stream, version):
    assert f"version {version}" in rejected(bytes([0xB8 | version]) + stream[1:])


def test_an_endless_file_is_read_no_further_than_the_limit(fails):
    assert "not a stream" in fails("decompress", "/dev/zero", "out.png")
    assert "neither a stream nor a model file" in fails("info", "/dev/zero")


def test_a_missing_model_is_named_with_the_way_to_add_it(rejected, stream, codec, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path_factory.mktemp("none")))
    message = rejected(stream)
    assert f"starts with {codec.fingerprint.hex()[:4]}, which is not installed" in message
    assert "vaecodec models add FILE" in message


def test_a_model_of_that_name_is_not_there(fails, digit, stream, tmp_path):
    (tmp_path / "x.vae").write_bytes(stream)
    for arguments in (("compress", digit, "o.vae"), ("decompress", "x.vae"), ("info", "x.vae")):
        assert "no model 'nope'; there are: " in fails(*arguments, "--model", "nope")
    assert not (tmp_path / "o.vae").exists()


def twin_of(model, tiny):
    """Another model whose fingerprint starts with the same two bytes, which its known answer is chosen for."""
    meta, digests = unpack_header(tiny.read_bytes())
    mark = "?" * 64
    meta["decode"]["known_answer"]["one"] = mark
    listed = [[name, digests[name]] for name in sorted(digests) if name.startswith("decode/")]
    text = json.dumps([meta["decode"], listed], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    before, after = text.encode().split(mark.encode())
    start, wanted = hashlib.sha256(before), model.fingerprint[:2]
    for number in range(1 << 22):
        state = start.copy()
        state.update(f"{number:064x}".encode() + after)
        if state.digest()[:2] == wanted:
            return replace(model, known_answer=replace(model.known_answer, sha256_one=f"{number:064x}"))
    raise AssertionError("no twin")


def test_models_that_share_the_short_fingerprint_are_told_apart(run, rejected, stream, codec, folders, tiny, tmp_path):
    (folders / "a-twin.vaem").write_bytes(pack_model(twin_of(codec.model, tiny)))
    assert read_summary(folders / "a-twin.vaem").fingerprint[:2] == codec.fingerprint[:2]
    (tmp_path / "good.vae").write_bytes(stream)
    assert run("decompress", "good.vae", "out.png").exit_code == 0
    for name in ("good.vae", "out.png"):
        (tmp_path / name).unlink()
    (folders / f"{NAME}.vaem").unlink()
    assert "expected" in rejected(stream)  # only the twin is there: its check does not match


def test_the_wrong_model_is_refused(fails, tiny, codec, stream, tmp_path):
    answer = replace(codec.model.known_answer, sha256_one="0" * 64)
    (tmp_path / "other.vaem").write_bytes(pack_model(replace(codec.model, known_answer=answer)))
    (tmp_path / "x.vae").write_bytes(stream)
    assert "x.vae: the stream was made with model" in fails("decompress", "x.vae", "--model", "other.vaem")


def test_a_message_names_its_file_once(fails, codec, digit, tmp_path):
    import fcntl

    import vaecodec

    for name in ("a.vaea", "b.vaea"):
        with vaecodec.ArchiveWriter.create(name, codec) as writer:
            writer.add(np.zeros((28, 28), np.uint8))
    with open("a.vaea", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        message = fails("archive", "append", "a.vaea", digit)
    assert message == "vaecodec: error: a.vaea: another process is writing to it"
    address = f"file://{tmp_path}/b.vaea"
    assert fails("archive", "append", address, digit).count(address) == 1


def test_an_empty_name_is_said(fails, digit):
    assert "the output's name is empty" in fails("compress", digit, "", "--model", NAME)
    assert "'': No such file" in fails("decompress", "")
    assert "'': No such file" in fails("info", "")


def test_info_takes_addresses_of_archives(run, codec, tmp_path):
    pytest.importorskip("fsspec")
    import vaecodec

    with vaecodec.ArchiveWriter.create("a.vaea", codec) as writer:
        writer.add(np.zeros((28, 28), np.uint8))
    found = run("info", f"file://{tmp_path}/a.vaea", "--json")
    assert json.loads(found.stdout)["images"] == 1


def test_info_of_a_folder(fails, tmp_path):
    assert "Is a directory" in fails("info", tmp_path)


@pytest.mark.parametrize("name", ["compress", "decompress"])
def test_a_folder_without_files_of_the_kind(fails, tmp_path, name):
    (tmp_path / "empty").mkdir()
    assert "empty: found no" in fails(name, "empty", "out")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_folder_as_output(fails, digit, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "folder: is a folder" in fails("compress", "--force", "--model", NAME, digit, "folder")


def test_an_output_folder_that_is_not_there(fails, digit):
    assert "nowhere/out.vae: No such file" in fails("compress", "--model", NAME, digit, "nowhere/out.vae")


def huge_png():
    """The header of a PNG of 60,000 x 60,000 pixels, and next to no data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_images_that_cannot_be_taken_say_why(fails, digit, tiny, tmp_path):
    files = {"text.png": b"hello", "empty.png": b"", "model.png": tiny.read_bytes(), "huge.png": huge_png()}
    files["cut.png"] = digit.read_bytes()[:-60]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        message = fails("compress", "--model", NAME, name, "out.vae")
        assert message.startswith(f"vaecodec: error: {name}: ")
        assert " object at 0x" not in message
    assert not (tmp_path / "out.vae").exists()


def test_images_that_would_lose_something_name_the_remedy(fails):
    colour = np.zeros((28, 28, 4), np.uint8)
    colour[..., 0] = 9
    Image.fromarray(colour[..., :3]).save("colour.png")
    Image.fromarray(colour * 0).save("clear.png")
    Image.fromarray(np.zeros((28, 28), np.uint16)).save("deep.png")
    for name, remedy in (("colour", "convert('L')"), ("clear", "background"), ("deep", "--window minmax")):
        assert remedy in fails("compress", "--model", NAME, f"{name}.png", "out.vae")


def test_an_image_larger_than_the_models_geometry(fails):
    Image.new("L", (30, 28)).save("large.png")
    message = fails("compress", "--model", NAME, "large.png", "out.vae")
    assert "28x30" in message
    assert "at most 28x28" in message


def test_damaged_model_files(fails, tiny, tmp_path):
    data = tiny.read_bytes()
    sections = unpack_container(data)[1]
    assert sections
    damaged = [data[:n] for n in (3, 8, 40, 1000, len(data) - 1)] + [data + b"\0"]
    for place in range(0, len(data), len(data) // 40):
        damaged.append(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
    for bad in damaged:
        (tmp_path / "bad.vaem").write_bytes(bad)
        assert fails("models", "add", "bad.vaem").startswith("vaecodec: error: bad.vaem: ")
        fails("info", "bad.vaem")


def test_the_boundary_knows_the_whole_tree():
    from vaecodec.cli.boundary import describe

    assert describe(VaecodecError("one\nline \x1b[2J")) == "one line ?[2J"
    assert describe(OSError(28, "No space left on device", "out")) == "out: No space left on device"
    assert describe(MemoryError()) == "out of memory"
    assert "this is a bug" in describe(ZeroDivisionError("x"))
