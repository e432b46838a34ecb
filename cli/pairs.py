"""vaecodec pairs: pairs of images that share one factor, as the paper's section 3.6 makes them, and what they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .completion import complete_files
from .files import check_target, print_json, say, write_bytes
from .options import model_option, quiet_option
from .subjects import require_report

if TYPE_CHECKING:
    from vaecodec.evaluation.disentanglement import GroundTruth
    from vaecodec.evaluation.figures.subject import Subject

IMAGES, PAIRS = 5_000, 64


@click.command()
@model_option("The model.  [default: the one named as DATA]")
@click.option("--level", type=click.IntRange(0), help="The model's level.  [default: its own default]")
@click.option(
    "--data", type=click.Choice(("dsprites", "mnist")), default="dsprites", show_default=True, help="Known factors."
)
@click.option("--images", type=click.IntRange(100), default=IMAGES, show_default=True, help="At most so many.")
@click.option("--pairs", type=click.IntRange(1), default=PAIRS, show_default=True, help="Pairs of a vote: N, or L.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides which pairs.")
@click.option("--data-dir", shell_complete=complete_files, metavar="FOLDER", help="Where mnist/ and dsprites/ lie.")
@click.option("-o", "--out", shell_complete=complete_files, metavar="OUT", help="Also draw some pairs: a .svg or .png.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@quiet_option
def command(out: str | None, force: bool, as_json: bool, pairs: int, seed: int, **options: Any) -> None:
    """Draw pairs that share one factor, and print Δz = ½ Σ |z₁ − z₂| as the paper writes it, Higgins' mean beside it.

    A linear classifier is asked which factor the pairs of a vote share; its accuracy is printed with a 95 % interval.
    Needs the extra: pip install 'vaecodec[report]'.
    """
    require_report()
    if out is not None:
        check_target(out, force)
    subject = factored_subject(**options)
    found = measured(subject, pairs, seed)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if out is not None:
        from vaecodec.evaluation.figures.drawing import draw
        from vaecodec.evaluation.figures.pairs import pairs as sheet_of
        from vaecodec.evaluation.figures.subject import Sources

        sheet = sheet_of(Sources(None, (subject,)), seed=seed)
        write_bytes(out, draw(sheet, svg=out.lower().endswith(".svg")), force=force)
        say(f"{out}: {sheet.title}")


def factored_subject(model: str | None, level: int | None, data: str, images: int, data_dir: str | None) -> Subject:
    """The model with images uniform over the factors. Raises ModelNotFound, DataError."""
    import numpy as np

    from vaecodec.codec.codec import Codec
    from vaecodec.evaluation.disentanglement import real_images
    from vaecodec.evaluation.figures.subject import Subject

    from .subjects import subject_of

    if data == "mnist":
        return subject_of(model, level, data, "test", images, data_dir)
    codec = Codec.load(model or data)
    found = real_images(images, rng=np.random.default_rng(0), data_dir=data_dir)
    chosen = codec.model.default_level if level is None else level
    return Subject(codec.model.name, codec, found.images, chosen, found.truth, found.label)


def measured(subject: Subject, pairs: int, seed: int) -> dict[str, Any]:
    """For JSON: both differences of one vote a factor, a number a latent, and the classifier's accuracy."""
    import numpy as np

    from vaecodec.evaluation.disentanglement.pairs import half_sum_difference, mean_difference, pairs_accuracy

    truth = _known(subject)
    rng, means, factors = np.random.default_rng(seed), subject.codes.means, []
    for factor, name in enumerate(truth.names):
        first = truth.any_rows((pairs,), rng)
        second = truth.alike(first, np.full(pairs, factor), rng)
        z1, z2 = means[first], means[second]
        values = {"paper": half_sum_difference(z1, z2).tolist(), "higgins": mean_difference(z1, z2).tolist()}
        factors.append({"factor": name, **values})
    accuracy = None
    if truth.count > 1:
        accuracy = pairs_accuracy(means, truth, rng=rng, pairs=pairs).to_dict()
    return {
        "model": subject.codec.model.name,
        "fingerprint": subject.codec.fingerprint.hex(),
        "level": subject.level,
        "data": subject.data,
        "images": len(subject.images),
        "pairs": pairs,
        "seed": seed,
        "latents": subject.codes.coded.tolist(),
        "factors": factors,
        "accuracy": accuracy,
    }


def _known(subject: Subject) -> GroundTruth:
    assert subject.truth is not None  # both data sets have factors
    return subject.truth


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{found['model']}, level {found['level']}: {found['images']} images, {found['data']}")
    click.echo(f"Δz over {found['pairs']} pairs: the paper's ½ Σ |z₁ − z₂|, and Higgins' 1/L Σ |z₁ − z₂|")
    for factor in found["factors"]:
        click.echo(f"the same {factor['factor']}")
        for kind in ("paper", "higgins"):
            numbers = " ".join(f"{value:8.3f}" for value in factor[kind])
            click.echo(f"  {kind:<10}{numbers}")
    if found["accuracy"] is None:
        click.echo("one factor alone: there is nothing that a classifier could tell apart")
        return
    for value in found["accuracy"]["values"]:
        low, high = value["interval"]["low"], value["interval"]["high"]
        click.echo(f"accuracy of a linear classifier, {value['name']}: {value['value']:.3f} [{low:.3f}, {high:.3f}]")
