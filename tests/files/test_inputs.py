"""Only regular files are opened: nothing here waits."""

import os
import socket

import numpy as np
import pytest
from PIL import Image

import vaecodec
from vaecodec.codec.images import read_grey
from vaecodec.data.folder import load_folder
from vaecodec.files.inputs import open_regular


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def irregular(request, tmp_path):
    """A path that is no regular file, and what is said of it."""
    path = tmp_path / f"{request.param}.png"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.relpath(path))
        server.close()
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
        return path, "Is a directory"
    return path, "not a regular file"


def test_whatever_is_no_regular_file_is_an_error_at_once(irregular):
    path, reason = irregular
    for read in (open_regular, lambda path: read_grey(str(path)), vaecodec.Archive):
        with pytest.raises(OSError, match=reason) as caught:
            read(path)
        assert os.fspath(caught.value.filename) == str(path)


def test_a_set_of_images_is_not_made_around_one(irregular):
    path, reason = irregular
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path.with_name("a.png"))
    if path.is_dir():
        return
    with pytest.raises(vaecodec.VaecodecError, match=f"{path.name}: {reason}"):
        load_folder(path.parent, "train")


def test_a_regular_file_is_read_by_place(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    (tmp_path / "b").symlink_to("a")
    with open_regular(tmp_path / "b") as file:
        assert os.pread(file.fileno(), 3, 4) == b"456"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "c")
