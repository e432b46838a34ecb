"""A photograph model small enough for tests, made once a process. It is not trained: its payloads are large."""

from functools import lru_cache

import numpy as np
import pytest

LEVELS = 4


@lru_cache(maxsize=1)
def tiny_photo_model():
    """A PhotoModel of 4 levels, the first of which tells nothing of the detail."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from tests.families.photo.tiny import smooth_pictures, tiny_model
    from vaecodec.families.photo.export import export_model

    levels = torch.linspace(0, 2, LEVELS)
    pictures = smooth_pictures(3, 128)
    calibrated_at = levels.tolist()
    return export_model("tiny-photo", tiny_model(), levels, pictures, calibrated_at=calibrated_at, about={})


def smooth_picture(height, width, seed=0):
    """uint8 (height, width, 3), random and smooth: what a photograph is to the networks."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3))
    rows, columns = np.arange(height) / 8, np.arange(width) / 8
    r, c = rows.astype(int), columns.astype(int)
    down, right = (rows - r)[:, None, None], (columns - c)[None, :, None]
    upper = coarse[r][:, c] * (1 - right) + coarse[r][:, c + 1] * right
    lower = coarse[r + 1][:, c] * (1 - right) + coarse[r + 1][:, c + 1] * right
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def zoo_without_photographs(folder):
    """The models that ship, but for photograph models, in a folder that may stand for the zoo."""
    import json

    from vaecodec.modelfile import installed

    folder.mkdir()
    for path in installed.zoo_folder().glob("*.vaem"):
        if not path.name.startswith("photo"):
            (folder / path.name).symlink_to(path)
    for name in ("aliases.json", "fingerprints.json"):
        table = json.loads((installed.zoo_folder() / name).read_text())
        kept = {key: value for key, value in table.items() if not key.startswith("photo")}
        (folder / name).write_text(json.dumps(kept))
    return folder
