"""The records of an archive, packed and unpacked: bytes and numbers, no images and no models.

Reading order: limits, record, block (with codings and columns), model_record, metadata, index; scan finds records where
an index is damaged; state tells by a block's check whose model it is. docs/format.md, section 13, is the specification.
"""
