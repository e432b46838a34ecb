"""`python -m vaecodec.cli`, which launchers such as `accelerate launch -m` need."""

from .main import main

main()
