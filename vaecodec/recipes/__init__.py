"""What every family is trained with, and made into a model file with; no module here knows one of them.

config, objective_config, sizes, checks, suggested: a run's tables      family: a family's record
objective, divergences, batches, schedule, begin_moments, begin_half_planes: steps of training
latents, symbol_layout, descent, onnx_export, record, finish: from a trained model to a model file
dead_units, pack_analysis: smaller model files
"""
