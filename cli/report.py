"""vaecodec report: one page, with every number beside it as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .completion import complete_files
from .files import check_target, say, write_bytes
from .options import quiet_option
from .subjects import require_report, subject_of, subject_options

if TYPE_CHECKING:
    from vaecodec.evaluation.report.content import Report

RESULTS = Path("benchmarks", "results")  # of a checkout
OUT = "report.html"


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, shell_complete=complete_files)
@click.option(
    "-o",
    "--out",
    shell_complete=complete_files,
    default=OUT,
    show_default=True,
    metavar="OUT",
    help="The page; the JSON lies beside it.",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite the page and its JSON.")
@subject_options
@quiet_option
def command(folder: str | None, out: str, force: bool, data_dir: str | None, **options: Any) -> None:
    """Write a page that needs no network, and its numbers as JSON beside it.

    DIR holds results as the benchmarks store them (without it benchmarks/results): the page has the paper's claims with
    verdicts, its figures, every setting and metric. With --model or --data it is about one model on any images instead,
    whose factors nobody need know. Needs the extra: pip install 'vaecodec[report]'.
    """
    require_report()
    beside = str(Path(out).with_suffix(".json"))
    for target in (out, beside):
        check_target(target, force)
    about_a_model = options["model"] is not None or options["data"] is not None
    if about_a_model and folder is not None:
        raise click.UsageError("DIR, or --model and --data: a report is about results or about one model")
    report = of_model(data_dir=data_dir, **options) if about_a_model else of_results(folder, data_dir)
    from vaecodec.evaluation.report.page import render

    page = render(report).encode("utf-8")
    numbers = json.dumps(report.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(out, page, force=force)
    write_bytes(beside, numbers.encode("utf-8"), force=force)
    say(f"{out}: {len(page) / 1e6:.1f} MB; {beside}: its numbers; {len(report.missing)} things are missing, and named")


def of_results(folder: str | None, data_dir: str | None) -> Report:
    """Raises DataError."""
    from vaecodec.evaluation.report.paper import paper_report
    from vaecodec.evaluation.results.stored import read_results

    return paper_report(read_results(Path(folder or RESULTS)), data_dir=Path(data_dir) if data_dir else None, say=say)


def of_model(**options: Any) -> Report:
    """Raises as subject_of()."""
    from vaecodec.evaluation.report.model import model_report

    return model_report(subject_of(**options), say=say)
