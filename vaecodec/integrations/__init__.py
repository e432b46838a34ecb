"""Places where people use images, one file each, imported only when asked for (docs/integrations.md).

pillow.py          Image.open and Image.save of streams, Image.open of archives
ray.py             shards on a Ray cluster; ray.data sets compressed, and made of archives
torch_dataset.py   an archive as a torch Dataset
torch_sampler.py   its images shuffled by shards and blocks, so that each block is read once an epoch
zarr.py            a codec of Zarr v3: each chunk of an array as an archive's blocks
"""
