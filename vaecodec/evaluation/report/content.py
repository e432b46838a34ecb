"""A report as data: sections of tables, figures and judged claims. The JSON beside the page is this, whole.

Cell (text or number) ──> Table ┐
Chart, Sheet, Diagram ──> Shown ┼──> Section ──> Report ──to_dict──> JSON
claim and findings ──> Judged   ┘
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from vaecodec.evaluation.figures.chart import Chart
from vaecodec.evaluation.figures.diagram import Diagram
from vaecodec.evaluation.figures.registry import Drawn
from vaecodec.evaluation.figures.sheet import Sheet
from vaecodec.evaluation.report.claim import Judged, Number

Cell = str | Number | None


@dataclass(frozen=True, slots=True)
class Table:
    """columns: their heads, units in them. A number says its digits itself; None is an empty cell."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if odd := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(f"table {self.key}: {len(self.columns)} columns, a row of {len(odd[0])}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers as records, text as text."""
        rows = [[asdict(cell) if isinstance(cell, Number) else cell for cell in row] for row in self.rows]
        return {"key": self.key, "title": self.title, "columns": list(self.columns), "rows": rows, "note": self.note}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A figure on the page. key: unique in the report. paper: the figure of the paper that it is."""

    key: str
    paper: str
    drawn: Drawn
    animated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON: a chart whole, a diagram as its words, of a sheet what stands below and beside the pictures."""
        head = {"key": self.key, "paper": self.paper, "kind": type(self.drawn).__name__.lower()}
        if isinstance(self.drawn, Chart | Diagram):
            return head | asdict(self.drawn)
        return head | _sheet(self.drawn)


def _sheet(sheet: Sheet) -> dict[str, Any]:
    rows = [
        {
            "heading": row.heading,
            "numbers": [dict(zip(("name", "value", "unit", "digits"), number, strict=True)) for number in row.numbers],
            "tiles": [{"value": tile.number, "unit": tile.unit, "digits": tile.digits} for tile in row.tiles],
        }
        for row in sheet.rows
    ]
    return {"title": sheet.title, "note": sheet.note, "rows": rows}


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of the page. text: paragraphs. The order on the page: text, claims, tables, figures."""

    key: str
    title: str
    text: tuple[str, ...] = ()
    claims: tuple[Judged, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Shown, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "text": list(self.text),
            "claims": [_judged(one) for one in self.claims],
            "tables": [table.to_dict() for table in self.tables],
            "figures": [shown.to_dict() for shown in self.figures],
        }


def _judged(one: Judged) -> dict[str, Any]:
    head = {field.name: getattr(one.claim, field.name) for field in fields(one.claim) if field.name != "judge"}
    findings = [asdict(finding) | {"verdict": finding.verdict.value} for finding in one.findings]
    return head | {"verdict": one.verdict.value, "findings": findings}


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """made: what the page was made with, and when. missing: a sentence for each thing that is not there."""

    title: str
    made: Mapping[str, str]
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON: everything that stands on the page but pixels."""
        sections = [section.to_dict() for section in self.sections]
        return {"title": self.title, "made": dict(self.made), "missing": list(self.missing), "sections": sections}
