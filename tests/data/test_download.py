"""Downloads, from a real server on this machine: what passes the check, and that nothing else ever gets its name."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaecodec.data import load_dataset
from vaecodec.data.download import ensure_dsprites, ensure_mnist, fetch
from vaecodec.data.dsprites import OFFICIAL_NAME, SUBSET_NAME
from vaecodec.data.mnist import load_mnist
from vaecodec.errors import BadDataset, DatasetMissing
from vaecodec.files import outputs

from .conftest import Site

BODY = bytes(range(256)) * 1000
NOBODY = "http://127.0.0.1:9/"  # the discard port: nothing listens


def is_body(path: Path) -> None:
    if hashlib.sha256(path.read_bytes()).digest() != hashlib.sha256(BODY).digest():
        raise BadDataset("not the body")


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def test_a_file_that_passes_the_check_is_put_in_place(tmp_path: Path, site: Site, capsys) -> None:
    site.files["/f"] = BODY
    fetch([site.address + "f"], tmp_path / "new" / "f", is_body)
    assert (tmp_path / "new" / "f").read_bytes() == BODY
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["f"]
    captured = capsys.readouterr()
    assert captured.err == "downloading f: 0.3 of 0.3 MB\n"
    assert captured.out == ""


def test_a_file_that_fails_the_check_leaves_nothing(tmp_path: Path, site: Site) -> None:
    site.files["/f"] = BODY[:-1] + b"\0"
    with pytest.raises(BadDataset, match="not the body"):
        fetch([site.address + "f"], tmp_path / "f", is_body)
    assert is_empty(tmp_path)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path, site: Site) -> None:
    """It is killed while the answer comes; an hour later another run asks for the same file."""
    site.files["/f"] = BODY
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom vaecodec.data import download\n"
        "download.Progress.show = lambda self, done: os.kill(os.getpid(), 9)\n"
        "download.fetch([sys.argv[1]], Path(sys.argv[2]), lambda path: None)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, site.address + "f", str(tmp_path / "f")], check=False)
    assert killed.returncode == -9
    (left,) = tmp_path.iterdir()
    fetch([site.address + "f"], tmp_path / "g", is_body)
    assert left.exists()  # too young to be called abandoned
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    outputs._swept.clear()
    fetch([site.address + "f"], tmp_path / "f", is_body)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "g"]


def test_a_connection_that_ends_early_leaves_nothing(tmp_path: Path, site: Site) -> None:
    site.files["/f"] = BODY
    site.announced["/f"] = len(BODY) + 1
    with pytest.raises(DatasetMissing, match=rf"ended after {len(BODY)} of {len(BODY) + 1} bytes|IncompleteRead"):
        fetch([site.address + "f"], tmp_path / "f", lambda path: None)
    assert is_empty(tmp_path)


def test_an_answer_without_end_is_cut_off(tmp_path: Path, site: Site) -> None:
    site.files["/f"] = bytes(2**26 + 1)
    with pytest.raises(DatasetMissing, match="expected at most 67108864 bytes"):
        fetch([site.address + "f"], tmp_path / "f", is_body)
    assert is_empty(tmp_path)


def test_the_second_address_is_asked_where_the_first_fails(tmp_path: Path, site: Site) -> None:
    site.files |= {"/bad/f": b"altered", "/good/f": BODY}
    fetch(
        [f"{NOBODY}f", site.address + "gone/f", site.address + "bad/f", site.address + "good/f"],
        tmp_path / "f",
        is_body,
    )
    assert (tmp_path / "f").read_bytes() == BODY


def test_without_network_the_error_says_which_file_to_put_where(tmp_path: Path, site: Site) -> None:
    with pytest.raises(DatasetMissing) as caught:
        ensure_mnist(tmp_path / "mnist", "train", addresses=[NOBODY])
    message = str(caught.value)
    assert f"Get it from {NOBODY}train-images-idx3-ubyte.gz" in message
    assert f"put it at {tmp_path}/mnist/train-images-idx3-ubyte.gz" in message
    assert "VAECODEC_DATA" in message
    assert "--data-dir" in message
    assert is_empty(tmp_path / "mnist")


def test_without_network_dsprites_says_so_too(tmp_path: Path, site: Site) -> None:
    with pytest.raises(DatasetMissing, match=OFFICIAL_NAME):
        ensure_dsprites(tmp_path / "dsprites", addresses=[NOBODY])


def test_a_folder_that_cannot_be_written_is_reported_as_missing_data(tmp_path: Path, site: Site) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetMissing, match="could not be downloaded"):
        fetch([site.address + "f"], tmp_path / "file" / "f", is_body)


def test_a_cut_of_mnist_from_a_server_is_not_taken_for_mnist(tmp_path: Path, site: Site, fixtures: Path) -> None:
    name = "t10k-images-idx3-ubyte.gz"
    site.files[f"/{name}"] = (fixtures / "mnist" / name).read_bytes()
    with pytest.raises(BadDataset, match="expected SHA-256 0fa7898d"):
        ensure_mnist(tmp_path, "test", addresses=[site.address])
    assert is_empty(tmp_path)


def test_a_subset_from_a_server_is_not_taken_for_the_official_file(tmp_path: Path, site: Site, fixtures: Path) -> None:
    site.files[f"/{OFFICIAL_NAME}"] = (fixtures / "dsprites" / SUBSET_NAME).read_bytes()
    with pytest.raises(BadDataset, match="latents_classes: expected i8"):
        ensure_dsprites(tmp_path, addresses=[site.address])
    assert is_empty(tmp_path)


def test_files_that_are_there_are_not_asked_for(tmp_path: Path, site: Site, fixtures: Path) -> None:
    shutil.copytree(fixtures, tmp_path / "data")
    ensure_mnist(tmp_path / "data" / "mnist", "train", addresses=[site.address])
    ensure_dsprites(tmp_path / "data" / "dsprites", addresses=[site.address])
    assert site.asked == []


def test_loading_without_download_only_looks(tmp_path: Path) -> None:
    for name in ("mnist", "dsprites"):
        with pytest.raises(DatasetMissing, match="no file"):
            load_dataset(name, "test", data_dir=tmp_path, download=False)
    assert is_empty(tmp_path)


def test_the_whole_of_mnist_is_fetched_checked_and_loaded(tmp_path: Path, site: Site, whole_data: Path) -> None:
    for path in (whole_data / "mnist").iterdir():
        site.files[f"/{path.name}"] = path.read_bytes()
    ensure_mnist(tmp_path, "test", addresses=[site.address])
    assert sorted(site.asked) == ["/t10k-images-idx3-ubyte.gz", "/t10k-labels-idx1-ubyte.gz"]
    assert load_mnist(tmp_path, "test").source == "official IDX"
