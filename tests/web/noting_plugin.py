"""An installed plugin for processes: it writes the code of each event into a file."""

from pathlib import Path

MODULE = """
from pathlib import Path

from inventory_core import hookimpl


class Noting:
    @hookimpl
    def after_stock_change(self, event):
        with Path(__file__).with_name("noted.txt").open("a") as lines:
            lines.write(event.code + "\\n")


noting = Noting()
"""


def install_noting_plugin(site: Path) -> Path:
    """Install the plugin into a folder for ``PYTHONPATH``; return the file that it writes."""
    information = site / "noting-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "noting.py").write_text(MODULE, "utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: noting\nVersion: 1.0\n", "utf-8")
    (information / "entry_points.txt").write_text("[inventory_core]\nnoting = noting:noting\n", "utf-8")
    return site / "noted.txt"
