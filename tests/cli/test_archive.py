"""vaecodec archive: create, list, extract, append, verify, info."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.archive_names import file_name, why_refused

import vaecodec

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
    result = run("archive", "create", out, *sources, "--model", "golden-tiny-1", "--no-verify", **options)
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


def test_arrays_of_medmnists_shape_are_sources_by_all_their_parts_or_by_a_key(run, pictures, decoded):
    parts = {"train_images": pictures[:3, ..., None], "test_images": pictures[3:, None]}
    np.savez("med.npz", train_labels=np.uint8([[1], [0], [1]]), test_labels=np.uint8([[0]]), **parts)
    created(run, "med.npz")
    with vaecodec.Archive("out.vaea") as archive:
        assert list(archive.names) == ["train/0", "train/1", "train/2", "test/0"]
        assert archive.labels.tolist() == [1, 0, 1, 0]
        assert np.array_equal(archive.images(range(4)), decoded)
    for k, source in enumerate((["med.npz", "--key", "test_images"], ["med.npz:test_images"])):
        created(run, *source, out=f"{k}.vaea")
        with vaecodec.Archive(f"{k}.vaea") as archive:
            assert np.array_equal(archive.images(range(1)), decoded[3:])
    assert run("archive", "create", "a.vaea", "pictures", "--key", "images").exit_code == 2
    refused = run("archive", "create", "a.vaea", "med.npz:labels", "--model", "golden-tiny-1")
    assert refused.exit_code == 1
    assert "there are train_labels (3, 1)" in refused.stderr


def test_a_column_of_parquet_is_a_source(run, pictures, decoded):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted(path for path in Path("pictures").rglob("*.png"))
    records = [{"bytes": path.read_bytes(), "path": path.as_posix()} for path in names]
    pq.write_table(pa.table({"image": records, "label": list(range(len(names)))}), "a.parquet")
    created(run, "a.parquet")
    with vaecodec.Archive("out.vaea") as archive:
        assert [*archive.names] == [path.as_posix() for path in names]
        assert archive.labels.tolist() == list(range(len(names)))
        assert {image.tobytes() for image in archive} == {image.tobytes() for image in decoded}


def test_append_info_and_metadata(run, pictures):
    Path("about.json").write_text('{"who": "me"}')
    report = json.loads(created(run, "pictures/a", "--metadata", "about.json", "--embed-model", "--json").stdout)
    assert (report["images"], report["file_bytes"]) == (2, Path("out.vaea").stat().st_size)
    assert run("archive", "append", "out.vaea", "pictures/b", "--no-verify").exit_code == 0
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


UNSAFE = ["../x", "/x", "a/../../x", "a//b", "..", "c:x", "a\\b", "nul", "COM1.png", "a\n", " a", "a/", "x" * 300]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_name_that_is_no_file_below_the_folder_is_refused_and_the_rest_extracted(run, codec, decoded, name):
    with vaecodec.ArchiveWriter.create("evil.vaea", codec, block_images=1) as writer:
        writer.add_batch([np.zeros((28, 28), np.uint8)] * 3, ["one", name, "two.png"])
    done = run("archive", "extract", "evil.vaea", "back")
    assert done.exit_code == 1
    assert "back: 2 images" in done.stderr
    assert "refused: image 1: " in done.stderr
    assert sorted(str(path) for path in Path().rglob("*.png") if "pictures" not in path.parts) == [
        "back/one.png",
        "back/two.png",
    ]
    assert why_refused(name) is not None
    assert run("archive", "extract", "evil.vaea", "back.npz").exit_code == 0


@pytest.mark.parametrize("name", ["x" * 251, "x" * 251 + ".png", "a.b/c d.png", "ü" * 125, ".hidden"])
def test_names_that_file_systems_take_are_extracted(run, codec, name):
    with vaecodec.ArchiveWriter.create("long.vaea", codec) as writer:
        writer.add(np.zeros((28, 28), np.uint8), name)
    assert run("archive", "extract", "long.vaea", "back").exit_code == 0
    assert Path("back", file_name(name)).is_file()


def test_a_name_that_comes_twice_is_extracted_once_and_said_when_it_is_written(run, pictures, decoded):
    for folder in ("train", "test"):
        Path(folder).mkdir()
        Path(folder, "0.png").write_bytes(Path("pictures/a/0.png").read_bytes())
    Path("test/1.png").write_bytes(Path("pictures/a/1.png").read_bytes())
    done = created(run, "train", "test", "--json")
    assert json.loads(done.stdout)["warnings"] == [
        "0.png: extracting will refuse this name: the name of an image before it too"
    ]
    done = run("archive", "extract", "out.vaea", "back")
    assert done.exit_code == 1
    assert "refused: image 1: 0.png: image 0 has this name" in done.stderr
    assert np.array_equal(np.array(Image.open("back/1.png")), decoded[1])


def test_names_that_extraction_refuses_are_said_when_they_are_written(run, pictures):
    Path("odd").mkdir()
    for name in ("12:30.png", " lead.png", "plain.png", *(f"c:{k}.png" for k in range(25))):
        Path("odd", name).write_bytes(Path("pictures/a/0.png").read_bytes())
    done = created(run, "odd")
    assert done.stderr.count("extracting will refuse this name") == 20
    assert "7 more names that extracting will refuse" in done.stderr
    assert "warning" not in created(run, "odd", "--no-names", out="unnamed.vaea").stderr


def test_no_image_is_an_empty_folder_or_array(run, fails, pictures, codec):
    created(run, "pictures")
    vaecodec.ArchiveWriter.create("none.vaea", codec).close()
    for source, options, shape in (("out", ["--range", "0:0"], (0, 28, 28)), ("none", [], (0, 0, 0))):
        assert run("archive", "extract", f"{source}.vaea", f"{source}.npz", *options).exit_code == 0
        with np.load(f"{source}.npz") as found:
            assert (found["images"].shape, found["images"].dtype, found["numbers"].shape) == (shape, np.uint8, (0,))
        assert run("archive", "extract", f"{source}.vaea", source, *options).exit_code == 0
        assert list(Path(source).iterdir()) == []
    assert "hold no image" in fails("archive", "append", "out.vaea", "-", input=b"")


def test_a_link_does_not_lead_out_of_the_folder(run, codec, tmp_path):
    with vaecodec.ArchiveWriter.create("a.vaea", codec) as writer:
        writer.add_batch([np.zeros((28, 28), np.uint8)] * 2, ["link/x", "y"])
    Path("back").mkdir()
    Path("elsewhere").mkdir()
    Path("back/link").symlink_to(tmp_path / "elsewhere")
    done = run("archive", "extract", "a.vaea", "back")
    assert (done.exit_code, "link leads out" in done.stderr) == (1, True)
    assert Path("back/y.png").is_file()
    assert list(Path("elsewhere").iterdir()) == []


def test_a_hyphen_is_standard_input_of_what_reads_and_wrong_usage_else(run, pictures):
    created(run, "pictures")
    data = Path("out.vaea").read_bytes()
    for command in (("list",), ("list", "--json"), ("verify",), ("info", "--json")):
        assert run("archive", *command, "-", input=data).stdout == run("archive", *command, "out.vaea").stdout
    assert run("info", "-", "--json", input=data).stdout == run("info", "out.vaea", "--json").stdout
    assert run("archive", "extract", "-", "back", input=data).exit_code == 0
    assert len(list(Path("back").rglob("*.png"))) == 4
    assert "standard input: not an archive" in run("archive", "list", "-", input=b"no archive").stderr
    assert run("archive", "append", "-", "pictures").exit_code == 2
    assert run("archive", "extract", "out.vaea", "-", "--format", "folder").exit_code == 2
    assert run("archive", "create", "-", "pictures", "--json").exit_code == 2
    assert not Path("-").exists()


def test_an_archive_goes_to_standard_output_and_through_pipes(process, run, pictures, tmp_path):
    created(run, "pictures")
    options = ("--model", "golden-tiny-1", "--no-verify")
    done = process("archive", "create", "-", "pictures", *options)
    assert (done.returncode, done.stdout) == (0, Path("out.vaea").read_bytes())
    assert process("archive", "verify", "-", input=done.stdout).returncode == 0
    with open(tmp_path / "by-shell", "wb") as file:
        assert process("archive", "create", "/dev/stdout", "pictures", *options, stdout=file).returncode == 0
    assert Path("by-shell").read_bytes() == done.stdout


def test_a_list_of_files_may_hold_any_bytes(process, pictures, monkeypatch):
    name = b"caf\xe9.png"
    with open(name, "wb") as file:
        file.write(Path("pictures/a/0.png").read_bytes())
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
    arguments = ("archive", "create", "list.vaea", "-", "--no-names", "--model", "golden-tiny-1")
    assert process(*arguments, input=name + b"\r\n\n").returncode == 0
    assert len(vaecodec.Archive("list.vaea")) == 1
    done = process("archive", "create", "named.vaea", "-", *arguments[5:], input=name)
    assert done.returncode == 1
    assert b"this is a bug" not in done.stderr
    assert done.stderr.count(b"\n") == 1


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
    levels = str(Path(__file__).parents[1] / "golden" / "v1" / "levels.vaem")
    sizes = []
    for option, value in (("--quality", 0), ("--quality", 100), ("--level", 0), ("--target-bytes", 400)):
        result = run("archive", "create", "q.vaea", "pictures", "--model", levels, "--force", "--json", option, value)
        sizes.append(json.loads(result.stdout)["file_bytes"])
    assert sizes[0] == sizes[2] < sizes[1]
    assert run("archive", "append", "q.vaea", "pictures/a", "--model", levels, "--beta", 1).exit_code == 0
    message = fails("archive", "create", "no.vaea", "pictures", "--model", levels, "--target-psnr", 90, "--strict")
    assert "image 0 (a/0.png): target of" in message
    assert not Path("no.vaea").exists()
    assert run("archive", "append", "q.vaea", "pictures", "--level", 1, "--beta", 1).exit_code == 2


def test_info_knows_archives(run, fails, pictures):
    created(run, "pictures")
    assert run("info", "out.vaea", "--json").stdout == run("archive", "info", "out.vaea", "--json").stdout
    Path("out.vaea").write_bytes(Path("out.vaea").read_bytes()[:9])
    assert "out.vaea" in fails("info", "out.vaea")
