"""The page of one stream: its pictures, and where its bits went.

StreamView ──> Report
"""

from vaecodec.evaluation.figures.stream import StreamView, stream_bits, stream_pictures
from vaecodec.evaluation.report.claim import Number
from vaecodec.evaluation.report.content import Cell, Report, Section, Shown, Table
from vaecodec.evaluation.report.made import made


def stream_report(view: StreamView) -> Report:
    """Of one stream."""
    rows: list[tuple[Cell, Cell]] = [
        ("file, bytes", Number("file", view.file_bytes, digits=0)),
        ("payload, bytes", Number("payload", view.payload_bytes, digits=0)),
        ("information content, bits", Number("bits", view.bits, digits=1)),
    ]
    rows += [] if view.psnr_db is None else [("PSNR, dB", Number("PSNR", view.psnr_db))]
    latents = tuple((f"{j}", Number("bits", bits)) for j, bits in view.latent_bits)
    parts = tuple((what, Number("bits", bits, digits=1)) for what, bits in view.spent)
    tables = [Table("facts", "Sizes", ("", "value"), tuple(rows)), Table("parts", "Parts", ("", "bits"), parts)]
    tables += [Table("latents", "Latents", ("latent", "bits"), latents)] if latents else []
    figures = (Shown("pictures", "", stream_pictures(view)), Shown("bits", "", stream_bits(view)))
    return Report(view.name, made(), (Section("stream", view.model, tables=tuple(tables), figures=figures),))
