"""GradientAscentViewer: what a unit wants to see, step by step, alone or beside others."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Bool, Dict, Float, Int, List, TraitType, Tuple, Unicode, observe, validate

from cnnwidgets.ascent.outputs import Class
from cnnwidgets.ascent.settings import Settings
from cnnwidgets.attribution.measures import MEASURES
from cnnwidgets.network import as_network
from cnnwidgets.widgets.ascent_checks import (
    LIVE,
    PICTURE,
    WHOLE,
    refusing,
    valid_setting,
    valid_start,
    valid_whole,
)
from cnnwidgets.widgets.ascent_climb import Climb
from cnnwidgets.widgets.ascent_frames import coarse_to_fine
from cnnwidgets.widgets.ascent_page import Story, still
from cnnwidgets.widgets.ascent_panels import COMPARISONS, labels_of, panels_of
from cnnwidgets.widgets.ascent_replies import AscentReplies, frame_of
from cnnwidgets.widgets.ascent_saving import write
from cnnwidgets.widgets.ascent_subject import (
    Subject,
    channels_of,
    class_names,
    described,
    of_class,
    of_unit,
    subject_of,
)
from cnnwidgets.widgets.running import Running
from cnnwidgets.widgets.stream import PER_SECOND
from cnnwidgets.widgets.traits import Choice

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
    from cnnwidgets.widgets.ascent_panels import Panel
    from cnnwidgets.widgets.requests import Asked as Recorded
    from cnnwidgets.widgets.requests import Request

PARTS = ("layer", "channel", "unit", "target")
"""Traits that say what the objective consists of."""
ANEW = (
    *("objective", "measure", "parametrization", "optimizer", "start_from", "seed", "size"),
    *("compare", "count"),
)
"""Traits with which a picture begins anew."""
_TOLD = 0.01
"""Of the progress."""


class GradientAscentViewer(Running, AscentReplies):
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
        If there is no such layer, channel or class, or a setting makes no sense.

    Notes
    -----
    Linked with a `cnnwidgets.LayerBrowser`, a channel or unit chosen there is climbed here: at
    once if this viewer has been run before, else with the next `run`. A class chosen elsewhere is
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

    objective: TraitType[Any, Any] = TraitType("").tag(sync=True)
    """What is to rise, as for the class; read, it is text."""
    layer = Unicode(None, allow_none=True).tag(sync=True)
    """Layer of the unit that is climbed; None for a class."""
    channel = Int(None, allow_none=True).tag(sync=True)
    """Its channel."""
    unit = Tuple(Int(), Int(), default_value=None, allow_none=True).tag(sync=True)
    """Its (row, column); None for the mean of the channel."""
    target = Int(None, allow_none=True).tag(sync=True)
    """Index of the class that is climbed; None for a unit."""
    measure = Choice(MEASURES, "log-odds").tag(sync=True)
    """What of a class is to rise: "log-odds", "logit" or "probability"; see `cnnwidgets.Class`."""
    direction = Int(1).tag(sync=True)
    """1, or −1 for what it wants to see least (the SadMap)."""
    steps = Int(256).tag(sync=True)
    """Most steps, 1 to 2,048."""
    lr = Float(0.05).tag(sync=True)
    """Step size, as all settings up to `size` as for `cnnwidgets.ascend`."""
    tv = Float(None, allow_none=True).tag(sync=True)
    """Weight of the total variation; None for one that follows the unit."""
    l2 = Float(0.0).tag(sync=True)
    """Weight of the mean square of pixel − mean."""
    p_norm = Float(0.0).tag(sync=True)
    """Weight of the mean of (pixel − mean)⁶."""
    blur = Float(0.0).tag(sync=True)
    """Standard deviation in pixels of a Gaussian, every 4 steps."""
    clip = Float(0.0).tag(sync=True)
    """Share of the pixels that are set to the mean after each step."""
    jitter = Float(None, allow_none=True).tag(sync=True)
    """Most pixels by which a step sees the picture moved; None for 1/16 of its shorter side."""
    zoom = Float(0.05).tag(sync=True)
    """Most by which it sees it larger or smaller, as a share."""
    rotation = Float(5.0).tag(sync=True)
    """Most degrees by which it sees it turned."""
    parametrization = Choice(("fourier", "pixel"), "fourier").tag(sync=True)
    """How the picture is held."""
    optimizer = Choice(("adam", "sgd"), "adam").tag(sync=True)
    """How a gradient becomes a step."""
    start_from: TraitType[Any, Any] = TraitType("noise").tag(sync=True)
    """"noise", "zeros", "mean", or an image, which is then read as "picture"."""
    seed = Int(0).tag(sync=True)
    """Of the noise and of all moves."""
    size = Int(None, allow_none=True).tag(sync=True)
    """Height and width in pixels; None for the network's."""
    compare = Choice(COMPARISONS, "none").tag(sync=True)
    """What climbs beside it: "none", "sad" (the opposite), "seeds", "tv" or "channels".

    "tv" are weights of the total variation: 0, ¼, 1, 4 … times `tv`.
    """
    count = Int(6).tag(sync=True)
    """How many seeds, weights or channels, 2 to 16."""
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
    _ended = Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        objective: Asked,
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        self._check_keywords(traits)
        network = as_network(net)
        chosen = {name: traits.pop(name) for name in PARTS if name in traits}
        classes = class_names(network)
        subject = subject_of(network, classes, objective, traits.get("measure", "log-odds"))
        if isinstance(subject.objective, Class):
            measure = traits.setdefault("measure", subject.objective.measure)
            subject = of_class(classes, subject.objective.target, measure)
        self._subject = self._proposed = subject
        self._start: Any = "noise"
        self._climb: Climb | None = None
        self._stale = self._going = self._made = self._aligning = False
        self._next_frame = 0.0
        super().__init__(
            network,
            objective=subject.text,
            _classes=classes,
            _layers=described(network),
            _network=network.name,
            _shape=list(network.input_shape),
            **subject.parts,
            **traits,
        )
        self._made = True
        for name, value in chosen.items():
            setattr(self, name, value)

    @property
    def frames(self) -> list[Frame]:
        """The frames of the first picture that are kept; none before the first run."""
        return [] if self._climb is None else self._climb.of(0)

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
        failed = self._turns is not None and self._turns.error is not None
        self._halt()
        ended = self._climb is not None and self._climb.over and most is None
        if self._climb is None or self._stale or failed or ended:
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
            self._settings(panels),
            self.steps,
            classifies=bool(self._classes),
            optimizer=self.optimizer,
            parametrization=self.parametrization,
            start=self._start,
            size=self.size,
        )
        self._stale, self._next_frame = False, 0.0
        with self.hold_sync():
            self._generation, self.step = climb.generation, 0
            self._label(climb)
        return climb

    def _beside(self, subject: Subject, compare: str) -> list[Panel]:
        return panels_of(self.net, self._classes, subject, compare, self.count, self.seed)

    def _label(self, climb: Climb) -> None:
        self._panels = labels_of(climb.panels, self.compare, self.direction, self.tv)

    def _settings(self, panels: Sequence[Panel]) -> Settings:
        """Return what the pictures go by, as it is set now."""
        given = {name: getattr(self, name) for name in LIVE}
        times = [panel.smoothing for panel in panels]
        if self.tv is None:
            return Settings(**given, calm=times)
        return Settings(**{**given, "tv": [self.tv * one for one in times]})

    def _batch(self, _newest: Newest) -> None:
        """Let the browser know of the newest step, as often as it can be seen."""
        now, climb = time.monotonic(), self._climb
        if climb is None or now < self._next_frame:
            return
        self._next_frame = now + 1 / PER_SECOND
        if self._pages:
            climb.look()
        self._offer(climb)
        if climb.progress - self.progress >= _TOLD:
            self.set_trait("progress", climb.progress)

    def _over(self) -> None:
        self._going = False
        climb = self._climb
        if climb is None or climb.newest is None:
            return
        climb.look(at_once=True)
        self._offer(climb)
        self.set_trait("progress", climb.progress)
        if self.follow:
            self.step = climb.newest.step
        if climb.over:
            self._ended = {"notes": climb.notes, "first": climb.first}

    def _offer(self, climb: Climb) -> None:
        if climb.newest is not None:
            self.stream("frame").offer_made(lambda: frame_of(climb))

    def _story(self) -> Story:
        """Return what there is to be drawn."""
        climb = self._climb
        return Story(self._subject.text, [one["label"] for one in self._panels], climb)

    @validate("objective")
    def _check_objective(self, proposal: Any) -> str:  # noqa: ANN401 - traitlets' Bunch
        given = proposal.value
        if isinstance(given, str) and given == self._subject.text:
            return given
        with refusing():
            subject = subject_of(self.net, self._classes, given, self.measure)
            self._beside(subject, self.compare)
        self._proposed = subject
        if isinstance(subject.objective, Class) and not isinstance(given, str):
            self.measure = subject.objective.measure
        return subject.text

    @validate(*PARTS)
    def _check_part(self, proposal: Any) -> Any:  # noqa: ANN401
        name, value = proposal.trait.name, proposal.value
        if self._made and not self._aligning:
            with refusing():
                self._with(name, value)
        return value

    @validate("compare")
    def _check_compare(self, proposal: Any) -> str:  # noqa: ANN401
        with refusing():
            self._beside(self._subject, proposal.value)
        return str(proposal.value)

    @validate(*LIVE)
    def _check_setting(self, proposal: Any) -> Any:  # noqa: ANN401
        return valid_setting(proposal.trait.name, proposal.value)

    @validate(*WHOLE)
    def _check_whole(self, proposal: Any) -> Any:  # noqa: ANN401
        return valid_whole(proposal.trait.name, proposal.value)

    @validate("start_from")
    def _check_start(self, proposal: Any) -> str:  # noqa: ANN401
        name, start = valid_start(self.net, proposal.value, self._start)
        another = name == PICTURE == self.start_from and start is not self._start
        self._start = start
        if another:  # the trait does not change
            self._restart()
        return name

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
        if self._going or (at_once and self._climb is not None):
            self.run()

    def _aim(self, text: str) -> None:
        """Take another objective over, and say what it consists of."""
        if self._proposed.text != text:  # what was proposed was refused with another trait
            self._proposed = subject_of(self.net, self._classes, text, self.measure)
        self._subject, self._aligning = self._proposed, True
        try:
            for name, value in self._subject.parts.items():
                setattr(self, name, value)
        finally:
            self._aligning = False

    @observe(*PARTS)
    def _consist(self, change: Any) -> None:  # noqa: ANN401
        if self._made and not self._aligning:
            self.objective = self._with(change.name, change.new).text

    @observe(*LIVE)
    def _turn(self, change: Any) -> None:  # noqa: ANN401
        """Let what climbs go by other settings from the next step on."""
        climb = self._climb
        if climb is not None and not climb.over:
            climb.settings = self._settings(climb.panels)
            if change.name in {"direction", "tv"}:
                self._label(climb)

    @observe("steps")
    def _lengthen(self, _change: Any) -> None:  # noqa: ANN401
        if self._climb is not None:
            self._climb.steps = self.steps

    def _with(self, name: str, value: Any) -> Subject:  # noqa: ANN401
        """Return what it is for with another layer, channel, unit or class."""
        now = self._subject
        if name == "target":
            if now.target is None or value is None:
                raise ValueError(
                    f"target: {value!r}, but {now.text!r} is no class; set objective to one, such "
                    'as "class:0"'
                )
            return of_class(self._classes, value, self.measure)
        if name == "layer" and value is not None:
            count = channels_of(self.net.layer(value))
            return of_unit(self.net, value, min(now.channel or 0, max(count - 1, 0)))
        if now.layer is None or now.channel is None or (name == "channel" and value is None):
            raise ValueError(
                f"{name}: {value!r}, but {now.text!r} is no unit; set objective to one, such as "
                '"layer:channel"'
            )
        if name == "unit":
            return of_unit(self.net, now.layer, now.channel, value)
        return of_unit(self.net, now.layer, value, now.unit)
