"""`python -m vaecodec.cli`, which launchers such as `accelerate launch -m` need."""

from .entry import main

main()
