"""Charts as SVG made on the server: the same on screen, on paper and in PDF, and no script.

Only classes and attributes are written, never a style, so that the strict content security policy holds. Each chart
comes twice, broad and narrow: text that is scaled down for a phone cannot be read.
"""

from foundation.charts.bar_charts import bars, parts_bar, window_bar
from foundation.charts.curves import Curve, enrolment, survival, trend
from foundation.charts.drawing import nice_ticks

__all__ = ["Curve", "bars", "enrolment", "nice_ticks", "parts_bar", "survival", "trend", "window_bar"]
