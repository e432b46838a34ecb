"""vaecodec figure: one of the paper's figures, or of ours, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .completion import complete_files
from .files import STANDARD, check_target, say, write_bytes
from .options import quiet_option
from .report import RESULTS
from .subjects import require_report, subject_of, subject_options

if TYPE_CHECKING:
    from vaecodec.evaluation.figures.subject import Sources

SUFFIXES = (".svg", ".png", ".apng")


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@click.option(
    "-o",
    "--out",
    shell_complete=complete_files,
    metavar="OUT",
    help="A .svg, .png or .apng (moves).  [default: NAME.svg]",
)
@click.option(
    "--results",
    shell_complete=complete_files,
    metavar="DIR",
    help="Stored results, of many runs.  [default: benchmarks/results]",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@subject_options
@quiet_option
def command(name: str | None, out: str | None, results: str | None, force: bool, **options: Any) -> None:
    """Draw the figure NAME; without NAME, list the figures there are.

    Figures of a model take --model and --data; those of many runs take stored results. Needs the extra: pip install
    'vaecodec[report]'.
    """
    from vaecodec.evaluation.figures.registry import FIGURES, find_figure

    if name is None:
        for figure in FIGURES:
            click.echo(f"{figure.name:<18}{figure.paper:<13}{figure.what}")
        return
    figure = find_figure(name)
    out = out or f"{name}.svg"
    suffix = Path(out).suffix.lower() if out != STANDARD else ".png"
    if suffix not in SUFFIXES:
        raise click.UsageError(f"-o {out}: expected one of {', '.join(SUFFIXES)}")
    require_report()
    check_target(out, force)
    drawn = figure.make(sources_of(figure.stored, results, options))
    from vaecodec.evaluation.figures.drawing import draw
    from vaecodec.evaluation.figures.sheet import Sheet, animation

    if suffix == ".apng":
        if not isinstance(drawn, Sheet) or len({len(row.tiles) for row in drawn.rows}) > 1:
            raise click.UsageError(f"{name}: only figures of pictures in rows of one length move: .svg or .png")
        data = animation(drawn)
    else:
        data = draw(drawn, svg=suffix == ".svg")
    write_bytes(out, data, force=force)
    say(f"{out}: {drawn.title}")


def sources_of(stored: bool, results: str | None, options: dict[str, Any]) -> Sources:
    """What a figure is drawn from. Raises DataError, ModelNotFound, ImageSizeError."""
    from vaecodec.evaluation.figures.subject import Sources
    from vaecodec.evaluation.results.stored import read_results

    if stored:
        return Sources(read_results(Path(results or RESULTS)))
    return Sources(None, (subject_of(**options),))
