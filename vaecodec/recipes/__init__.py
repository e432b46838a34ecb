"""What every family is trained with, and made into a model file with; no module here knows one of them.

config, objective_config, sizes, checks, suggested: a run's tables      family: a family's record
objective, divergences, batches, schedule, begin_moments, begin_half_planes: steps of training
latents, symbol_layout, descent, dead_units, onnx_export, pack_analysis, record, finish: from a model to its file
"""
