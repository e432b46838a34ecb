"""Every picture of a mixed folder comes back as it looks, at the PSNR that was said, or is refused by name."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.codec.mixed import CONTAINERS, REFUSED, mixed_folder, shown
from tests.photo.tiny import tiny_photo_model
from vaecodec.codec.quality import psnr_db_from_mse


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.filterwarnings("ignore:Palette images with Transparency")  # of shown()'s conversion
def test_every_picture_of_a_mixed_folder_comes_back_or_is_refused_by_name(run, folders, tmp_path, kind):
    (folders / "tiny-photo.vaem").write_bytes(tiny_photo_model().to_bytes())
    (tmp_path / "mixed").mkdir()
    taken = 0
    for path in mixed_folder(tmp_path / "mixed", [kind]):
        with Image.open(path) as image:
            mode = image.mode
            want = None if mode in REFUSED or mode.startswith("I;16") else shown(image)
        done = run("compress", path, "a.vae", "--json", "--force")
        if want is None:
            assert done.exit_code == 1, path.name
            assert f"{path.name}: image of mode {mode}" in done.stderr
            continue
        assert done.exit_code == 0, (path.name, done.stderr)
        assert run("decompress", "a.vae", "a.png", "--force").exit_code == 0, path.name
        with Image.open("a.png") as image:
            got = shown(image)
        np.testing.assert_array_equal(got[..., 3], want[..., 3], err_msg=path.name)
        error = float(np.square(got[..., :3].astype(float) - want[..., :3]).mean())
        assert psnr_db_from_mse(error) == pytest.approx(json.loads(done.stdout)["psnr_db"], abs=1e-6), path.name
        taken += 1
    assert taken
