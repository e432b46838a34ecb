"""Every error that vaecodec raises on purpose.

VaecodecError
├── FormatError (ValueError)        bytes that are not a valid stream, archive or model file
│   ├── BadMagic                    not a file of this kind at all
│   ├── UnsupportedVersion          a version that this release cannot read
│   ├── Truncated                   the bytes end before the record does
│   ├── TrailingData                the record ends before the bytes do
│   ├── BadChecksum                 the integrity check does not match
│   ├── NotCanonical                decodes, but is not what an encoder writes
│   ├── BadField                    a field holds a value that means nothing
│   └── LimitExceeded               a field asks for more than the limits allow
├── ModelError
│   ├── ModelNotFound (LookupError) no installed model has that name or fingerprint
│   ├── ModelMismatch (ValueError)  the model given is not the one the bytes were made with
│   ├── KnownAnswerMismatch         this machine does not reproduce the model's known answer
│   └── NotExact (ValueError)       a network is not provably exact in float32
├── ImageError (ValueError)         an image that the model cannot take as it is
│   ├── ImageModeError              colour, alpha or depth would be lost
│   ├── ImageSizeError              larger than the model's geometry
│   └── UnreadableImage             not an image that Pillow can read
├── DataError
│   ├── DatasetMissing (LookupError)
│   └── BadDataset (ValueError)
├── ConfigError (ValueError)        an unknown key or a value out of range
├── TargetMissed (ValueError)       no level of the model meets the size or quality asked for
├── CheckpointError (ValueError)    a checkpoint that is damaged or of another run
├── OutputError (OSError)           the output cannot be written
│   └── OutputExists (FileExistsError)  something has its name, and overwriting was not asked for
├── WrongType (TypeError)           an argument of a type that means nothing here
└── Closed (ValueError)             an archive or writer that was closed is used
"""


class VaecodecError(Exception):
    """Parent of every error of this package."""


class FormatError(VaecodecError, ValueError):
    """Bytes that are not a valid file of ours."""


class BadMagic(FormatError):
    """The bytes are not a file of this kind."""


class UnsupportedVersion(FormatError):
    """The file's version is unknown to this release."""


class Truncated(FormatError):
    """The bytes end before the record does."""


class TrailingData(FormatError):
    """Bytes follow the end of the record."""


class BadChecksum(FormatError):
    """The integrity check does not match."""


class NotCanonical(FormatError):
    """The bytes decode, but no encoder writes them so."""


class BadField(FormatError):
    """A field holds a value that means nothing."""


class LimitExceeded(FormatError):
    """A field asks for more than the limits allow."""


class ModelError(VaecodecError):
    """Something about a model, not about the bytes to be coded."""


class ModelNotFound(ModelError, LookupError):
    """No installed model has that name or fingerprint."""


class ModelMismatch(ModelError, ValueError):
    """The model given is not the one that the bytes were made with."""


class KnownAnswerMismatch(ModelError):
    """This machine does not reproduce the model's known answer: decoding would be wrong."""


class NotExact(ModelError, ValueError):
    """A network is not provably exact in float32 arithmetic."""


class ImageError(VaecodecError, ValueError):
    """An image that the model cannot take as it is."""


class ImageModeError(ImageError):
    """Colour, alpha or bit depth would be lost."""


class ImageSizeError(ImageError):
    """The image is larger than the model's geometry."""


class UnreadableImage(ImageError):
    """The bytes are not an image that Pillow can read."""


class DataError(VaecodecError):
    """Something about a data set."""


class DatasetMissing(DataError, LookupError):
    """The data set is not on this machine and could not be fetched."""


class BadDataset(DataError, ValueError):
    """A data set file is damaged or not what it claims to be."""


class ConfigError(VaecodecError, ValueError):
    """A configuration with an unknown key or a value out of range."""


class TargetMissed(VaecodecError, ValueError):
    """No level of the model meets the size or the quality asked for."""


class CheckpointError(VaecodecError, ValueError):
    """A checkpoint that is damaged or belongs to another run."""


class OutputError(VaecodecError, OSError):
    """The output cannot be written."""


class OutputExists(OutputError, FileExistsError):
    """Something has the output's name already, and overwriting was not asked for."""


class WrongType(VaecodecError, TypeError):
    """An argument of a type that means nothing where it was given."""


class Closed(VaecodecError, ValueError):
    """An archive, or the writer of one, that was closed is used."""
