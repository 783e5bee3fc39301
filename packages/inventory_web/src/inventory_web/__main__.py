"""``python -m inventory_web`` is the command ``inventory``."""

from inventory_web.cli import main

main()
