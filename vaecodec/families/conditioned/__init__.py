"""conditioned-vae: one model for the whole rate-distortion curve; β is an input, as a level of a grid.

family.py, config.py, suggested.py: the record, without torch.   model.py, drawn.py, levels.py, tiles.py: the network.
objective.py, begin_drawing.py: training.   exact.py, exact_drawn.py, prune.py, export.py, finish.py: the model file.
"""
