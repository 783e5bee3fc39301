"""Charts as SVG: pure functions, numbers and texts in, a picture out; colours come from the classes of ``charts.css``."""
