"""Limits and assigned numbers of the archive, each limit with its reason. docs/format.md states the same."""

ARCHIVE_MAGIC = b"\x89VAEA\r\n\x1a"  # as PNG's: a transfer as text, or a cut at control-Z, shows at once
ARCHIVE_VERSION = 1
HEADER_BYTES = 9  # magic and version
SYNC = b"\xb7\x3a"  # starts every record: not ASCII, no UTF-8, seldom in well-compressed bytes (2**-16)
TRAILER_MAGIC = b"VAZ"
TRAILER_BYTES = 16

KIND_MODEL = 1
KIND_EMBEDDED = 2
KIND_METADATA = 3
KIND_NAMES = 4
KIND_FOOTER = 5
KIND_BLOCK = 0x80  # with flags in the low bits

MAX_BLOCK_IMAGES = 128  # reading one image decodes its block: 5 ms for 128 lossy ones, up to 3 s for exact ones
MAX_BLOCK_BYTES = 1 << 24  # 128 images of the largest size, and their names, fit; of a record without its check
MAX_IMAGE_NAME_BYTES = 4096  # what paths are limited to on Linux
MAX_LABEL_COLUMNS = 64  # labels are a few numbers, not a feature vector
MAX_METADATA_BYTES = 1 << 24  # one JSON record, parsed whole
MAX_FOOTER_BYTES = 1 << 28  # some 100 million blocks' lengths; read whole
MAX_MODEL_NAME_BYTES = 255  # its length is a byte
MAX_ARCHIVE_MODELS = 4096  # a model number is looked up in a table held in memory
MAX_SEGMENT_IMAGES = (1 << 32) - 1  # the names' table numbers images with 32 bits
NAMES_PER_PAGE = 512  # 4 KB: what is read to look one name up
CHUNK_BYTES = 4096  # of an embedded model: the unit of repair
PARITY_CHUNKS = 4  # any burst within the file of up to 3 chunks + 1 byte touches each parity's chunks once
MIN_BLOCK_BYTES = 12  # with no payload, names and labels: no file has more images than its length has room for
SCAN_FALSE_BYTES = 256  # what a false record costs a scan besides its bytes: to look at it takes as long
SCAN_WORK_FACTOR = 16  # a hostile file full of false records must not make a scan take quadratic time


def most_images(file_bytes: int) -> int:
    """How many images a file of so many bytes can hold, or have held: numbers beyond that are a forger's."""
    return MAX_BLOCK_IMAGES * (file_bytes // MIN_BLOCK_BYTES)
