"""The command ``inventory``: one module for each group of commands."""

from inventory_web.cli.commands import main

__all__ = ["main"]
