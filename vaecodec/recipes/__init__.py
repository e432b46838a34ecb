"""What every family is trained with, and made into a model file with; no module here knows one of them.

config, family: a run's tables, and a family's record.   objective, batches, schedule, begin_*: steps of training.
latents, symbol_layout, descent, onnx_export, record, finish: from a trained model to a model file.
"""
