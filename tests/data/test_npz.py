"""What is wrong with an npz file is BadDataset, whatever zipfile says."""

import io
import zipfile

import numpy as np
import pytest

from vaecodec.data.npz import open_npz, read_array
from vaecodec.errors import BadDataset


def test_a_name_that_is_not_utf_8_is_a_bad_data_set(tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, blob=np.arange(4, dtype=np.uint8))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("näme", b"x")
    path = tmp_path / "a.npz"
    path.write_bytes(buffer.getvalue().replace("ä".encode(), b"\xff\xfe"))
    with pytest.raises(BadDataset, match="not a whole npz file"), open_npz(path) as archive:
        read_array(archive, path, "blob", "u1", (-1,))
