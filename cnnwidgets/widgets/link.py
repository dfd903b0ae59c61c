"""Widgets meet through equal trait names: tie them, and one choice shows everywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from anywidget import AnyWidget
from traitlets import HasTraits, TraitError


class Link:
    """Traits of several widgets tied both ways, until `unlink`.

    Attributes
    ----------
    names
        The traits tied.
    """

    def __init__(self, widgets: tuple[HasTraits, ...]) -> None:
        public = [_public(widget) for widget in widgets]
        every = dict.fromkeys(name for names in public for name in names)
        self._widgets = {
            name: [widget for widget, names in zip(widgets, public, strict=True) if name in names]
            for name in every
        }
        self.names = tuple(name for name in every if len(self._widgets[name]) > 1)
        if not self.names:
            kinds = ", ".join(type(widget).__name__ for widget in widgets)
            raise ValueError(f"link: {kinds} share no trait such as layer; link some that do")
        self._passing = False
        for widget in widgets:
            if meet := getattr(widget, "_meet", None):
                meet([other for other in widgets if other is not widget])
        for name in self.names:
            first, *others = self._widgets[name]
            yielding = [one for one in others if name not in getattr(one, "_keeps", ())]
            self._pass_on(name, getattr(first, name), yielding)
            for widget in (first, *others):
                widget.observe(self._changed, name)

    def __repr__(self) -> str:
        return f"Link({', '.join(self.names)})"

    def unlink(self) -> None:
        """Let each widget go its own way again; once is enough."""
        for name in self.names:
            for widget in self._widgets[name]:
                with suppress(ValueError):  # not observed any more
                    widget.unobserve(self._changed, name)

    def _changed(self, change: Any) -> None:  # noqa: ANN401 - traitlets' Bunch
        if not self._passing:
            others = [widget for widget in self._widgets[change.name] if widget is not change.owner]
            self._pass_on(change.name, change.new, others)

    def _pass_on(self, name: str, value: Any, others: list[HasTraits]) -> None:  # noqa: ANN401
        self._passing = True
        try:
            for widget in others:
                with suppress(TraitError):  # it has no such layer, channel …: it stays where it is
                    setattr(widget, name, value)
        finally:
            self._passing = False


def link(*widgets: HasTraits) -> Link:
    """Tie all public traits that widgets share (``layer``, ``target``, ``step``, ``channel`` …).

    Parameters
    ----------
    widgets
        Two or more. The first one's values win; later a change in any of them shows in all,
        except where a widget rejects the value (a layer that its network does not have). A
        GradientAscentViewer keeps its unit or class until another is chosen.

    Returns
    -------
    Link
        With ``names``, what was tied, and ``unlink()``.

    Raises
    ------
    TypeError
        If one is no widget, or there are not two.
    ValueError
        If no two of them share a public trait.

    Notes
    -----
    A LayerBrowser that is linked with a TrainingMonitor takes from it the run of its network, so
    that ``step`` shows the network as it was; if there is none, a warning says so.
    """
    for widget in widgets:
        if isinstance(widget, (list, tuple)):
            raise TypeError("link: give the widgets one by one: cw.link(a, b), not cw.link([a, b])")
        if isinstance(widget, type):
            raise TypeError(f"link: {widget.__name__} is a class; make a widget of it first")
        if not isinstance(widget, HasTraits):
            raise TypeError(f"link: {type(widget).__name__} is no widget; give some: cw.link(a, b)")
    if len(set(map(id, widgets))) < 2:  # noqa: PLR2004 - a pair
        raise TypeError("link: give two or more different widgets: cw.link(a, b)")
    return Link(widgets)


def _public(widget: HasTraits) -> list[str]:
    """List the synced traits that are the widget's own, may be set and mean the same elsewhere.

    The layer comes first: whether there is a channel depends on it.
    """
    kept = {*AnyWidget.class_traits(), *getattr(widget, "_apart", ())}
    names = [
        name
        for name, trait in widget.traits(sync=True).items()
        if not (name.startswith("_") or name in kept or trait.read_only)
    ]
    return sorted(names, key=lambda name: name != "layer")
