"""Run small trainings with every annotated shape checked: python check_shapes.py DATA PACKAGE [--finish] < configs

Each is begun, stepped and validated, and with --finish made into a model file's content; its name is printed when all
of it was as annotated. ONNX's exporter traces with symbolic sizes, which no check can read: there the checks rest.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jaxtyping
import torch
from jaxtyping import TypeCheckError, install_import_hook

ROOMS = ("layers", "recipes", "families")
IMAGES = 300


def main() -> None:
    install_import_hook(annotated(Path(sys.argv[2])), "beartype.beartype")  # stays: families are imported when built
    from vaecodec.data import load_dataset
    from vaecodec.families import find_family, training_config
    from vaecodec.families.trainables import make_trainable
    from vaecodec.recipes import begin_half_planes, latents

    begin_half_planes.FITTING_STEPS = latents.FIT_STEPS = 3
    rest_while_exporting()
    for name, values in json.load(sys.stdin).items():
        config = training_config(values)
        whole = (load_dataset(config.data, split, data_dir=Path(sys.argv[1])) for split in ("train", "validation"))
        sets = [replace(part, images=part.images[:IMAGES], labels=None, label_names=()) for part in whole]
        trainable = make_trainable(config, population=IMAGES)
        trainable.begin(sets[0].images)
        x, rng = torch.from_numpy(sets[0].images[:24]) / 255, torch.Generator().manual_seed(0)
        for step in range(2):
            trainable.enter(step)
            trainable.train()(x, 0.5, rng).objective_nats.backward()
        trainable.eval()(x, 1.0, rng)
        if "--finish" in sys.argv:
            find_family(config.family).finish(trainable, config, *sets)
        print(name)
    try:
        find_family("vae").build(training_config({**values_of_a_vae()}).model).analyse(x[0])
    except TypeCheckError:
        print("a wrong shape is refused")


def annotated(package: Path) -> list[str]:
    """The modules that annotate shapes."""
    paths = [path for room in ROOMS for path in sorted((package / room).rglob("*.py"))]
    found = [path for path in paths if "from jaxtyping import" in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in found]


def values_of_a_vae() -> dict[str, Any]:
    return {"name": "x", "data": "mnist", "family": "vae", "model": {"height": 28, "width": 28}}


def rest_while_exporting() -> None:
    """Let torch.onnx.export trace unchecked."""
    export = torch.onnx.export

    def unchecked(*args: Any, **options: Any) -> Any:
        jaxtyping.config.update("jaxtyping_disable", True)
        try:
            return export(*args, **options)
        finally:
            jaxtyping.config.update("jaxtyping_disable", False)

    torch.onnx.export = unchecked


if __name__ == "__main__":
    main()
