"""Integer-exact twins in torch of the layers that decoding runs.

A twin is made of a trained layer and a sample, is fine-tuned with straight-through rounding, and adds its operations to
an ExactGraph (graph), whose ExactNetwork (vaecodec.exact) gives the same integers everywhere.

symbols, dense, residual, tables: layers      synthesis, half_planes: of the same name in layers
pixel_scales: what the last sums mean as pixels
"""
