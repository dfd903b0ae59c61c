"""What a training monitor answers: one method for each request of its front-end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.training.recorder import Recorder
from cnnwidgets.widgets.monitor_snapshots import WHAT, maps_of, predicted
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnwidgets.widgets.monitor_runs import Followed
    from cnnwidgets.widgets.requests import Asked

ACTIONS = ("pause", "resume", "stop", "rate")
_OTHERS = {"history": "curves", "predictions": "predictions", "pictures": "the probe pictures"}
_NAMED = 5


class MonitorAnswers:
    """The requests of the training monitor; the widget holds the runs that they are of."""

    _followed: Sequence[Followed]

    def _tell(self) -> None:
        raise NotImplementedError

    @answers("history")
    def _answer_history(self, request: Request) -> Answer:
        one = self._asked(request)
        one.follow()
        return Answer(*one.digest.whole())

    @answers("maps")
    def _answer_maps(self, request: Request) -> Answer:
        snapshot = self._asked(request).snapshot(request.get("step", int))
        what, layer = request.choose("what", WHAT), request.get("layer", str)
        maps, channels = maps_of(snapshot, layer, what, request.get("picture", int))
        value = {"step": snapshot.step, "channels": channels, "shown": len(maps)}
        return Answer(value, [pack(maps, "quantised")])

    @answers("pictures")
    def _answer_pictures(self, request: Request) -> Answer:
        pictures = self._asked(request).pictures
        if pictures is None:
            raise RequestError("pictures: the run has no probe")
        return Answer({}, [pack(pictures, "picture")])

    @answers("predictions")
    def _answer_predictions(self, request: Request) -> Answer:
        one = self._asked(request)
        chances = one.predictions.of(one.run)
        if not chances:
            raise RequestError("predictions: the run has no probe, or no snapshot yet")
        value, likeliest = predicted(chances, one.classes)
        return Answer(value, [pack(likeliest, "float32")])

    @answers("control")
    def _answer_control(self, request: Request) -> Answer:
        run, action = self._asked(request).run, request.choose("action", ACTIONS)
        if not isinstance(run, Recorder) or not run.live:
            raise RequestError("control: this run is not being recorded here")
        if action == "rate":
            _set_rate(run, request.args.get("value"))
        elif not run.running:
            raise RequestError(
                f"control: {action} needs training in the background: run.start(train_fn)"
            )
        else:
            {"pause": run.pause, "resume": run.resume, "stop": run.stop}[action]()
        self._tell()
        return Answer()

    def _asked(self, request: Request) -> Followed:
        identity = request.get("run", str)
        for one in self._followed:
            if one.identity == identity:
                return one
        raise RequestError(f"run: the monitor shows no run {identity!r}")


def _set_rate(run: Recorder, rate: Any) -> None:  # noqa: ANN401 - what a page sends
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise RequestError(f"value: a learning rate is a number, not {type(rate).__name__}")
    try:
        run.set_learning_rate(rate)
    except ValueError as error:
        raise RequestError(str(error)) from None


def recorded(runs: Sequence[Followed], layer: str) -> Iterator[Asked]:
    """Yield the requests that an exported page should answer, most useful first.

    Curves and tables, the probe, then maps and filters of the chosen layer at every snapshot, then
    those of the other layers.

    Parameters
    ----------
    runs
        The one that is looked at first.
    layer
        The chosen layer.
    """
    for name in ("history", "predictions", "pictures"):
        for one in runs:
            if name == "history" or one.pictures is not None:
                yield name, {"run": one.identity}
    for one in runs:
        layers = one.layers()
        for shown in sorted(layers, key=lambda other: other != layer):
            yield from _maps(one, shown)


def _maps(one: Followed, layer: str) -> Iterator[Asked]:
    pictures = range(0 if one.pictures is None else len(one.pictures))
    for step in reversed(one.run.snapshots):
        args = {"run": one.identity, "step": step, "layer": layer}
        yield "maps", {**args, "what": "filters", "picture": 0}
        for picture in pictures:
            for what in ("maps", "gradients"):
                yield "maps", {**args, "what": what, "picture": picture}


def in_words(asked: Sequence[Asked]) -> str:
    """Say what these requests ask for."""
    layers = dict.fromkeys(args["layer"] for name, args in asked if name == "maps")
    others = dict.fromkeys(name for name, _ in asked if name != "maps")
    said = [_OTHERS[name] for name in others]
    if layers:
        names = ", ".join(list(layers)[:_NAMED]) + ", …" * (len(layers) > _NAMED)
        said.append(f"maps and filters of {len(layers)} layers ({names})")
    return ", ".join(said)
