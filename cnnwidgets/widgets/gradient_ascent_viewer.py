"""GradientAscentViewer: what a unit wants to see, step by step, alone or beside others."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Bool, Dict, Int, List, Unicode, observe

from cnnwidgets.network import as_network
from cnnwidgets.widgets.ascent_aiming import PARTS, Aiming
from cnnwidgets.widgets.ascent_checks import ANEW, LIVE, PICTURE
from cnnwidgets.widgets.ascent_climb import Climb
from cnnwidgets.widgets.ascent_frames import coarse_to_fine
from cnnwidgets.widgets.ascent_page import Story, still
from cnnwidgets.widgets.ascent_panels import told_of
from cnnwidgets.widgets.ascent_replies import AscentReplies, frame_of, told_beside
from cnnwidgets.widgets.ascent_saving import formats, write
from cnnwidgets.widgets.ascent_settings import AscentSettings
from cnnwidgets.widgets.ascent_subject import (
    check_place,
    class_names,
    described,
    of_class,
    subject_of,
)
from cnnwidgets.widgets.running import Running
from cnnwidgets.widgets.stream import PER_SECOND

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from torch import nn

    from cnnwidgets.ascent.asked import Asked
    from cnnwidgets.ascent.frame import Frame
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.ascent_climb import Newest
    from cnnwidgets.widgets.requests import Asked as Recorded
    from cnnwidgets.widgets.requests import Request

_TOLD = 0.01
"""Of the progress."""


class GradientAscentViewer(Aiming, AscentSettings, Running, AscentReplies):
    """Watch a picture become what a unit of a network wants to see, or several beside each other.

    Parameters
    ----------
    net
        A `cnnwidgets.Network`, or a bare ``nn.Module``.
    objective
        What is to rise: anything that `cnnwidgets.ascend` takes, such as ``"layer:channel"`` or
        ``cw.Class("zebra")``; also ``"class:zebra"`` and ``"layer:channel:row:column"``.
    traits
        First values of the public traits.

    Methods
    -------
    run()
        Climb in the background: go on, or begin anew if it is over or has to.
    pause()
        End it after the step that is running; `run` goes on.
    stop()
        The same, and wait for it.
    reset()
        Forget the pictures.
    wait(timeout=None)
        Wait until it is over.
    save(path)
        Write an animation (.gif, .webp, .mp4) or a sheet of pictures (.png).
    figure()
        Draw the pictures, their scores and gradient norms with matplotlib.
    to_html(path)
        Write an offline page that replays the animation.
    close()
        Free the memory and take the widget off every page.

    Raises
    ------
    TypeError
        If a keyword is unknown; the message names the nearest.
    ValueError
        If there is no such layer, channel, unit or class, or a setting makes no sense.

    Notes
    -----
    Linked with a `cnnwidgets.LayerBrowser`, a channel or unit chosen there is climbed here at
    once; what was chosen before they were linked stays. A class chosen elsewhere is
    taken over while a class is climbed here, as a unit is no class.

    The pictures are kept as they can be seen, 8 bits for each value, within 64 MB; if there are
    more, every second one is dropped.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> viewer = cw.GradientAscentViewer(net, cw.Class("Trouser"), compare="sad")
    >>> viewer.run()
    >>> viewer.wait()
    >>> viewer.frames[-1].prediction.name
    'Trouser'
    >>> viewer.save("trouser.gif")
    """

    _bundle = "gradient_ascent_viewer"
    _apart: ClassVar[frozenset[str]] = frozenset({"step", "steps", "playing", "follow", "compare"})

    step = Int(0).tag(sync=True)
    """Step that is looked at."""
    playing = Bool(default_value=False).tag(sync=True)
    """Whether the frames are played."""
    follow = Bool(default_value=True).tag(sync=True)
    """Whether the newest step is looked at."""

    _classes: List[str] = List().tag(sync=True)
    _layers: List[dict[str, Any]] = List().tag(sync=True)
    _network = Unicode().tag(sync=True)
    _shape: List[int] = List().tag(sync=True)
    _panels: List[dict[str, Any]] = List().tag(sync=True)
    _generation = Int(0).tag(sync=True)
    _formats: List[str] = List().tag(sync=True)
    _ended = Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        objective: Asked,
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        if "start" in traits:
            raise TypeError("GradientAscentViewer has no keyword 'start'; give start_from")
        self._check_keywords(traits)
        network = as_network(net)
        chosen = {name: traits.pop(name) for name in PARTS if name in traits}
        classes = class_names(network)
        subject = subject_of(network, classes, objective, traits.get("measure", "log-odds"))
        if traits.get("size") is None:
            check_place(network, subject)
        if subject.target is not None and subject.measure is not None:
            measure = traits.setdefault("measure", subject.measure)
            subject = of_class(classes, subject.target, measure)
        self._subject = self._proposed = subject
        self._climb: Climb | None = None
        self._stale = self._going = False
        self._next_frame = 0.0
        super().__init__(
            network,
            objective=subject.text,
            _classes=classes,
            _layers=described(network),
            _network=network.name,
            _shape=list(network.input_shape),
            _formats=formats(),
            **subject.parts,
            **traits,
        )
        self._made = True
        for name, value in chosen.items():
            setattr(self, name, value)

    @property
    def frames(self) -> Sequence[Frame]:
        """The frames of the first picture that are kept; none before the first run."""
        return () if self._climb is None else self._climb.of(0)

    def run(self) -> None:
        """Climb in the background: go on, or begin anew if it is over or has to."""
        if not self._going or self._stale:
            self._go()

    def pause(self) -> None:
        """End it after the step that is running, without waiting for it; `run` goes on."""
        self._halt()

    def reset(self) -> None:
        """Forget the pictures; `run` begins anew."""
        self._halt()
        self._climb = None
        self.stream("frame").drop()
        with self.hold_sync():
            self._panels, self._ended, self.step = [], None, 0  # type: ignore[assignment]  # traitlets' type has no None
            self.set_trait("progress", 0.0)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an animation of all that climbs, or a sheet of pictures, with its words.

        Parameters
        ----------
        path
            ``.gif``, ``.webp`` or, if the program ffmpeg is installed, ``.mp4``; ``.png`` for a
            sheet of up to 24 steps.

        Returns
        -------
        pathlib.Path
            Where it was written.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist, or for ``.mp4`` if there is no ffmpeg.
        ValueError
            If the suffix is none of these, or there are no pictures yet.
        """
        return write(path, self._story())

    def figure(self) -> Figure:
        """Draw the pictures at `step`, or the newest, and all scores and gradient norms.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from cnnwidgets.widgets.ascent_figure import draw  # noqa: PLC0415 - matplotlib is slow to load

        return draw(self._story(), None if self.follow else self.step)

    def preview(self) -> bytes:
        """Draw the pictures as PNG within milliseconds, for the notebook's file."""
        return still(self._story(), None if self.follow else self.step)

    def recorded(self) -> Iterator[Recorded]:
        """Yield the requests that an exported page should answer: curves, then frames by halves."""
        if self._climb is not None:
            yield "curve", {"generation": self._climb.generation}
            for step in coarse_to_fine(self._climb.frames.steps):
                yield "frames", {"generation": self._climb.generation, "steps": [step]}

    def in_words(self, asked: Sequence[Recorded]) -> str:
        """Say what a page had no room for."""
        return f"{len(asked)} frames between the others"

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """Pause meanwhile: what is recorded is what there is."""
        going = self._going
        self.stop()
        yield
        if going:
            self.run()

    def close(self) -> None:
        """Stop, free the pictures and take the widget off every page."""
        self._going = False
        super().close()
        self._climb = None

    def _halt(self) -> None:
        self._going = False
        super()._halt()

    def _unwatched(self) -> None:
        self._halt()

    def _submit(self, identity: str, request: Request, lane: object) -> None:
        if request.name == "pause":
            self._halt()  # now, not after the requests before it
        super()._submit(identity, request, lane)

    def _go(self, most: int | None = None) -> None:
        """Take steps, at most so many, with pictures that begin anew if they have to."""
        self._halt()
        ended = self._climb is not None and self._climb.over and most is None
        if self._climb is None or self._stale or ended:
            self._climb = self._anew()
        climb = self._climb
        self._going = True
        with self.hold_sync():
            self._begin(climb if most is None else islice(climb, most))
            self._ended = None  # type: ignore[assignment]  # traitlets' type has no None
            self.set_trait("progress", climb.progress)

    def _anew(self) -> Climb:
        panels = self._beside(self._subject, self.compare)
        climb = Climb(
            self.net,
            panels,
            self._rules(panels),
            self.steps,
            classifies=bool(self._classes),
            optimizer=self.optimizer,
            parametrization=self.parametrization,
            start=self._picture if self.start_from == PICTURE else self.start_from,
            size=self.size,
        )
        self._stale, self._next_frame = False, 0.0
        with self.hold_sync():
            self._generation, self.step = climb.generation, 0
            self._panels = told_of(climb.panels, climb.labels(0), climb.fields)
        return climb

    def _batch(self, _newest: Newest) -> None:
        """Let the browser know of the newest step, as often as it can be seen."""
        climb = self._climb
        if climb is None or time.monotonic() < self._next_frame:
            return
        if self._pages:
            climb.look()
        self._offer(climb)
        self._next_frame = time.monotonic() + 1 / PER_SECOND  # the next is taken at once
        if climb.progress - self.progress >= _TOLD:
            self.set_trait("progress", climb.progress)

    def _over(self) -> None:
        self._going = False
        climb = self._climb
        if climb is None or climb.newest is None:
            return
        climb.look(at_once=climb.over or bool(self._pages))
        self._offer(climb)
        self.set_trait("progress", climb.progress)
        if self.follow:
            self.step = climb.newest.step
        if climb.over:
            beside = told_beside(climb)
            self._ended = {name: beside[name] for name in ("notes", "first")}

    def _offer(self, climb: Climb) -> None:
        if climb.newest is not None:
            self.stream("frame").offer_made(lambda: frame_of(climb))

    def _story(self) -> Story:
        """Return what there is to be drawn."""
        subject = self._climb.panels[0].subject if self._climb else self._subject
        return Story(subject, self._climb)

    @observe(*ANEW)
    def _changed(self, change: Any) -> None:  # noqa: ANN401
        """Begin anew if it runs; another objective is climbed at once, unless none was yet."""
        if not self._made:
            return
        if change.name == "objective":
            self._aim(change.new)
        elif change.name == "measure":
            if self._subject.target is None:
                return
            self._subject = of_class(self._classes, self._subject.target, self.measure)
        elif change.name == "count" and self.compare in {"none", "sad"}:
            return
        self._restart(at_once=change.name == "objective")

    def _restart(self, *, at_once: bool = False) -> None:
        self._stale = True
        if self._going or (at_once and (self._eager or self._climb is not None)):
            self.run()

    @observe(*LIVE)
    def _turn(self, _change: Any) -> None:  # noqa: ANN401
        """Let what climbs go by other settings from the next step on."""
        if self._climb is not None and not self._climb.over:
            self._climb.rules = self._rules(self._climb.panels)

    @observe("steps")
    def _lengthen(self, _change: Any) -> None:  # noqa: ANN401
        if self._climb is not None:
            self._climb.steps = self.steps
