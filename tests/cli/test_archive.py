"""vaecodec archive: create, list, extract, append, verify, info."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.archive_extract import safe_name

import vaecodec
from vaecodec.errors import OutputError

NAMES = ["a/0.png", "a/1.png", "b/2.png", "ü.png"]


@pytest.fixture
def pictures():
    """uint8 (4, 28, 28), also as PNG files in the folder pictures/."""
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    for name, image in zip(NAMES, images, strict=True):
        path = Path("pictures", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return images


@pytest.fixture
def decoded(codec, pictures):
    return codec.lossy.synthesise(codec.lossy.analyse(pictures))


def created(run, *sources, out="out.vaea", **options):
    result = run("archive", "create", out, *sources, "--model", "golden-tiny-1", **options)
    assert result.exit_code == 0, result.stderr
    return result


def test_a_folder_goes_in_and_comes_out(run, pictures, decoded):
    created(run, "pictures")
    listed = run("archive", "list", "out.vaea").stdout.splitlines()
    assert listed == [f"{k}\t{name}" for k, name in enumerate(NAMES)]
    assert run("archive", "extract", "out.vaea", "back").exit_code == 0
    for name, image in zip(NAMES, decoded, strict=True):
        assert np.array_equal(np.array(Image.open(Path("back", name))), image)
    assert run("archive", "verify", "out.vaea").exit_code == 0


def test_patterns_lists_and_single_files_are_sources(run, pictures, tmp_path):
    created(run, "pictures/*/*.png", "pictures/ü.png", str(tmp_path / "pictures" / "a" / "0.png"))
    names = [row["name"] for row in json.loads(run("archive", "list", "out.vaea", "--json").stdout)]
    assert names == ["pictures/a/0.png", "pictures/a/1.png", "pictures/b/2.png", "pictures/ü.png", "0.png"]
    created(run, "-", "--jobs", 3, out="list.vaea", input=b"pictures/b/2.png\npictures/a/1.png\n")
    assert len(vaecodec.Archive("list.vaea")) == 2


def test_data_sets_bring_their_labels(run, pictures, decoded):
    np.savez("set.npz", images=pictures, labels=np.array([[5, 6], [7, 8], [9, 1], [2, 3]]))
    created(run, "set.npz")
    rows = json.loads(run("archive", "list", "out.vaea", "--json").stdout)
    assert rows[1] == {"number": 1, "name": None, "labels": [7, 8]}
    assert run("archive", "extract", "out.vaea", "back.npz").exit_code == 0
    with np.load("back.npz") as back:
        assert np.array_equal(back["images"], decoded)
        assert back["labels"].tolist() == [[5, 6], [7, 8], [9, 1], [2, 3]]
    Path("x-images-idx3-ubyte").write_bytes(
        b"\0\0\x08\x03" + np.array([4, 28, 28], ">u4").tobytes() + pictures.tobytes()
    )
    Path("x-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x04\x03\x01\x04\x01")
    created(run, "x-images-idx3-ubyte", out="idx.vaea")
    assert vaecodec.Archive("idx.vaea").labels.tolist() == [3, 1, 4, 1]


def test_append_info_and_metadata(run, pictures):
    Path("about.json").write_text('{"who": "me"}')
    report = json.loads(created(run, "pictures/a", "--metadata", "about.json", "--embed-model", "--json").stdout)
    assert (report["images"], report["file_bytes"]) == (2, Path("out.vaea").stat().st_size)
    assert run("archive", "append", "out.vaea", "pictures/b").exit_code == 0
    found = json.loads(run("archive", "info", "out.vaea", "--json").stdout)
    assert (found["images"], found["segments"], found["metadata"]) == (3, 2, {"who": "me"})
    assert found["models"][0]["embedded"] is True
    assert "golden-tiny-1" in run("archive", "info", "out.vaea").stdout


def test_parts_are_extracted_by_name_and_range(run, pictures, decoded):
    created(run, "pictures")
    run("archive", "extract", "out.vaea", "one", "--name", "b/2.png")
    assert [str(p) for p in Path("one").rglob("*.png")] == ["one/b/2.png"]
    run("archive", "extract", "out.vaea", "some.npz", "--range", "1:-1")
    with np.load("some.npz") as some:
        assert some["numbers"].tolist() == [1, 2]
        assert np.array_equal(some["images"], decoded[1:3])
    assert run("archive", "extract", "out.vaea", "x", "--name", "none").exit_code == 2
    assert run("archive", "extract", "out.vaea", "x", "--range", "a").exit_code == 2


def test_what_is_lost_is_said_and_the_rest_extracted(run, pictures, decoded):
    created(run, "pictures", "--block-images", 1)
    data = bytearray(Path("out.vaea").read_bytes())
    archive = vaecodec.Archive("out.vaea")
    data[int(archive._directory.offsets[1]) + 12] ^= 1
    Path("out.vaea").write_bytes(data)
    result = run("archive", "verify", "out.vaea")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "lost\t1\ta/1.png"
    found = json.loads(run("archive", "verify", "out.vaea", "--json").stdout)
    assert found["lost"] == [{"number": 1, "name": "a/1.png"}]
    result = run("archive", "extract", "out.vaea", "back")
    assert result.exit_code == 1
    assert "lost: image 1" in result.stderr
    assert sorted(str(p.relative_to("back")) for p in Path("back").rglob("*.png")) == ["a/0.png", "b/2.png", "ü.png"]


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a//b", "..", "c:x", "a\\b", "nul", "COM1.png", "a\n", " a", "a/", "x" * 300]
)
def test_names_that_would_leave_the_folder_are_refused(run, fails, codec, name):
    with vaecodec.ArchiveWriter.create("evil.vaea", codec) as writer:
        writer.add(np.zeros((28, 28), np.uint8), name)
    assert "not a file name below the folder" in fails("archive", "extract", "evil.vaea", "back")
    assert not Path("x.png").exists()
    with pytest.raises(OutputError):
        safe_name(name)


def test_a_link_does_not_lead_out_of_the_folder(fails, codec, tmp_path):
    with vaecodec.ArchiveWriter.create("a.vaea", codec) as writer:
        writer.add(np.zeros((28, 28), np.uint8), "link/x")
    Path("back").mkdir()
    Path("elsewhere").mkdir()
    Path("back/link").symlink_to(tmp_path / "elsewhere")
    assert "link leads out" in fails("archive", "extract", "a.vaea", "back")


def test_errors_are_one_line(run, fails, pictures):
    created(run, "pictures")
    assert "exists already" in fails("archive", "create", "out.vaea", "pictures")
    assert "no file, folder" in fails("archive", "create", "b.vaea", "nothing")
    assert "not an archive" in fails("archive", "verify", "pictures/ü.png")
    Path("colour.png").write_bytes(b"no image")
    assert "colour.png" in fails("archive", "append", "out.vaea", "colour.png")
    assert len(vaecodec.Archive("out.vaea")) == 4
    run("archive", "extract", "out.vaea", "back")
    assert "exists already" in fails("archive", "extract", "out.vaea", "back")
    assert run("archive", "extract", "out.vaea", "back", "--force").exit_code == 0


def test_options_for_size_and_quality_are_those_of_compress(run, fails, pictures):
    levels = str(Path(__file__).parents[1] / "golden" / "levels.vaem")
    sizes = []
    for option, value in (("--quality", 0), ("--quality", 100), ("--level", 0), ("--target-bytes", 400)):
        result = run("archive", "create", "q.vaea", "pictures", "--model", levels, "--force", "--json", option, value)
        sizes.append(json.loads(result.stdout)["file_bytes"])
    assert sizes[0] == sizes[2] < sizes[1]
    assert run("archive", "append", "q.vaea", "pictures/a", "--model", levels, "--beta", 1).exit_code == 0
    message = fails("archive", "create", "no.vaea", "pictures", "--model", levels, "--target-psnr", 90)
    assert "image 0 (a/0.png): target of" in message
    assert not Path("no.vaea").exists()
    assert run("archive", "append", "q.vaea", "pictures", "--level", 1, "--beta", 1).exit_code == 2


def test_info_knows_archives(run, fails, pictures):
    created(run, "pictures")
    assert run("info", "out.vaea", "--json").stdout == run("archive", "info", "out.vaea", "--json").stdout
    Path("out.vaea").write_bytes(Path("out.vaea").read_bytes()[:9])
    assert "out.vaea" in fails("info", "out.vaea")
