"""Bytes only: the stream of one image, the container of a model file, and what they are read with. No ML stack.

Reading order: reader, check, stream; then container and arrays.
"""
