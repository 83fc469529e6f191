"""`python -m bridge` is `equabot-bridge`."""

from bridge.cli import main

main()
