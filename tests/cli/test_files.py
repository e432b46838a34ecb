"""What commands read: a file or standard input, bounded; never a folder or a block device. Errors name a file once."""

import os
import stat

import pytest
from vaecodec.cli import files

from vaecodec.errors import BadMagic


def test_a_folder_is_no_input(tmp_path):
    with pytest.raises(IsADirectoryError):
        files.read_bytes(str(tmp_path), 10)


def test_no_more_is_read_than_asked_and_one_byte_that_shows_the_excess(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    assert files.read_bytes(str(tmp_path / "a"), 4) == b"01234"


def test_a_block_device_is_no_input():
    devices = [os.path.join("/dev", name) for name in os.listdir("/dev")]
    found = [path for path in devices if stat.S_ISBLK(os.stat(path, follow_symlinks=False).st_mode)]
    readable = [path for path in found if os.access(path, os.R_OK)]
    if not readable:
        pytest.skip("no block device here, or none that this user may read")
    with pytest.raises(OSError, match="block device"):
        files.read_bytes(readable[0], 10)


def test_errors_name_the_file_once():
    for text in ("not a stream", "a.vae: not a stream"):
        with pytest.raises(BadMagic, match=r"^a\.vae: not a stream$"), files.naming("a.vae"):
            raise BadMagic(text)
