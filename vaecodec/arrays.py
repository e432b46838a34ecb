"""The arrays that every room passes on, each with one name. Who says `Pixels` means this, wherever it stands."""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # an image (h, w) of grey or (h, w, 3) of RGB, or a batch of them with b before
Symbols = npt.NDArray[np.int32]  # of an image (n,), or of a batch (b, n)
Size = tuple[int, int]  # (height, width) in pixels
