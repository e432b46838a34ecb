"""lossless-vae: latents, then every pixel given the latents and the pixels before it.

family.py, config.py: the record, without torch.   model.py, map.py, phases.py, pixel_values.py, objective.py: training.
exact.py, exact_map.py, exact_phases.py, export.py, finish.py: the exact twins and the model file.
"""
