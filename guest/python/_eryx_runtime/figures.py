"""matplotlib's backend: Agg draws figures, and what is shown becomes a display.

Nobody imports it but matplotlib, whose wheel for sandboxes names it in its matplotlibrc.
"""

from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from _eryx_runtime.displays import show_figure


class FigureManager(FigureManagerBase):  # type: ignore[misc]
    """A figure of pyplot's."""

    @classmethod
    def pyplot_show(cls, *, block: Any = None) -> None:
        """What plt.show() does: show all figures, and close them."""
        for manager in Gcf.get_all_fig_managers():
            manager.show()

    def show(self) -> None:
        """Show a figure, and close it: what is left open is shown when the program ends."""
        try:
            show_figure(self.canvas.figure)
        finally:
            Gcf.destroy(self)


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]
    """What Agg draws on."""

    manager_class = FigureManager
