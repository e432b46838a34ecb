"""Bytes only: the stream of one image, the container of a model file, the records of an archive. No networks.

Reading order: limits, reader, check, window, stream (stream_batch for many at once), picture_stream (version 2, of any
size); then canonical_json, container and array_bytes; archive/.
"""
