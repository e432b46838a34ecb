"""One image: pixels become symbols, a payload, a stream, and come back.

Reading order: codec (the facade), target, images, lossy with analysis, synthesis and groups; received; then lossless,
search, effort, quality; choice finds a model, stream_report says what a stream is, notebook what a notebook shows of a
codec. docs/architecture.md leads through.
"""
