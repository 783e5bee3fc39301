"""Charts as SVG: pure functions of numbers and texts. Colours come from the classes of ``charts.css``."""
