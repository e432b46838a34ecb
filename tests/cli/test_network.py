"""Nothing of import, compress, decompress and archives asks for the network."""

import json

from .conftest import NAME, ROOT

NO_NETWORK = (ROOT / "benchmarks" / "measuring" / "no_network.py").read_text(encoding="utf-8")
PHOTOGRAPH = ROOT / "examples" / "photograph-canyon-wren.png"


def without_network(python, tmp_path, commands):
    path = tmp_path / "commands.json"
    path.write_text(json.dumps([list(map(str, command)) for command in commands]))
    return python(NO_NETWORK, path)


def test_compressing_and_decompressing_use_no_socket(python, digit, tmp_path):
    from PIL import Image

    crop = tmp_path / "crop.png"
    with Image.open(PHOTOGRAPH) as image:
        image.crop((100, 100, 164, 148)).save(crop)
    done = without_network(
        python,
        tmp_path,
        [
            ("compress", digit, "a.vae", "--model", NAME),
            ("decompress", "a.vae", "a.png"),
            ("compress", digit, "b.vae"),
            ("decompress", "b.vae", "b.png"),
            ("compress", crop, "c.vae"),
            ("decompress", "c.vae", "c.png"),
            ("archive", "create", "a.vaea", digit, "--model", NAME),
            ("archive", "extract", "a.vaea", "extracted"),
            ("models",),
            ("info", "a.vae"),
        ],
    )
    assert done.returncode == 0, done.stderr
    assert b"onnxruntime" in done.stdout
    assert sorted(path.name for path in tmp_path.glob("?.png")) == ["a.png", "b.png", "c.png"]


def test_a_socket_would_be_refused(python, tmp_path):
    done = without_network(python, tmp_path, [])
    assert done.returncode != 0
    assert b"NetworkRefused: socket." in done.stderr
