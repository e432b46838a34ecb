"""Data sets: MNIST, dSprites (real and rendered) and any folder of images, with their splits. No torch.

load_dataset(name or folder, split) --> ImageSet: images uint8 (n, h, w) or (n, h, w, 3), labels, where they came from

registry.py    load_dataset, and the names there are     image_set.py   ImageSet
splits.py      train, validation and test, by hash       folder.py      any folder of images
mnist.py       IDX files                                 npz.py         arrays of npz files, read with bounds
dsprites.py    the given images; dsprites_official.py the whole set, dsprites_factors.py what the images show,
               dsprites_renderer.py images that are drawn anew, dsprites_mixed.py both kinds
photographs.py crops of photographs, from packs and folders
array_files.py files of arrays, for archives: npz, npy, HDF5; array_images.py what holds images, parquet.py
location.py    where files lie; download.py how they come there
"""

from vaecodec.data.image_set import ImageSet
from vaecodec.data.registry import load_dataset, load_splits

__all__ = ["ImageSet", "load_dataset", "load_splits"]
