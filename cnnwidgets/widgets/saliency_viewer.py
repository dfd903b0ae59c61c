"""SaliencyViewer: which pixels matter, by any method, side by side, and how far to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Float, Int, List, TraitType, Unicode, observe, validate

from cnnwidgets.attribution.cam import layers_with_maps
from cnnwidgets.attribution.measures import MEASURES
from cnnwidgets.attribution.question import finite
from cnnwidgets.attribution.reduction import PARTS, REDUCTIONS
from cnnwidgets.network import as_network
from cnnwidgets.widgets.pictures import Shown, identify, seen
from cnnwidgets.widgets.running import Running
from cnnwidgets.widgets.saliency_answers import SaliencyAnswers
from cnnwidgets.widgets.saliency_checks import (
    NUMBERS,
    valid_class,
    valid_fill,
    valid_layer,
    valid_methods,
    valid_number,
)
from cnnwidgets.widgets.saliency_judging import NOISES, SAMPLES
from cnnwidgets.widgets.saliency_maps import Explanation, Explanations, Panel, described
from cnnwidgets.widgets.saliency_methods import METHODS, told
from cnnwidgets.widgets.saliency_panels import noise_sheet, panels_of, words_of
from cnnwidgets.widgets.saliency_running import Run
from cnnwidgets.widgets.saliency_sheet import preview
from cnnwidgets.widgets.saliency_subject import Subject
from cnnwidgets.widgets.traits import Choice, ClassIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.requests import Asked

SCALES = ("each", "unit")


class SaliencyViewer(Running, SaliencyAnswers):
    """See which pixels of a picture matter to a class, by one method or several side by side.

    Parameters
    ----------
    net
        A `cnnwidgets.Network`, or a bare ``nn.Module``.
    image
        A path, a PIL image, a uint8 array [H, W] or [H, W, 3], or a float tensor
        [C, H, W] that is already preprocessed.
    target
        Class index or name that is explained; the predicted class by default.
    score
        For a network that is no classifier: as for `cnnwidgets.saliency`.
    traits
        First values of the public traits.

    Methods
    -------
    run()
        Compute what is shown and not there yet, in the background.
    stop()
        End it after the batch that is running.
    wait(timeout=None)
        Wait until it is over.
    figure()
        Draw what is shown with matplotlib.
    noise_figure()
        Draw SmoothGrad by noise level and number of samples.
    to_html(path)
        Write an offline page in which the maps can be explored.
    close()
        Free the memory and take the widget off every page.

    Raises
    ------
    TypeError
        If a keyword is unknown; the message names the nearest.
    ValueError
        If an image, a setting or a class is not what the network takes.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> viewer = cw.SaliencyViewer(net, images[0], compare=["smoothgrad", "grad_cam"])
    >>> viewer.run()
    >>> viewer.wait()
    >>> viewer.result.shape
    torch.Size([1, 28, 28])
    """

    _bundle = "saliency_viewer"

    method = Choice(tuple(METHODS), "saliency").tag(sync=True)
    """How it is explained; see `cnnwidgets.widgets.saliency_methods.METHODS`."""
    compare: List[str] = List().tag(sync=True)
    """More methods, shown beside it."""
    target = ClassIndex(0).tag(sync=True)
    """Class that is explained, set by index or name; read, it is the index."""
    against = ClassIndex(None, allow_none=True).tag(sync=True)
    """Another class, shown beside it with the difference: why this one and not that? Or None."""
    randomised = Bool(default_value=False).tag(sync=True)
    """Whether a model with random weights is shown beside it (Adebayo et al. 2018)."""
    measure = Choice(MEASURES, "logit").tag(sync=True)
    """What is explained of the class: "logit", "probability" or "log-odds"."""
    samples = Int(50).tag(sync=True)
    """Noisy copies of SmoothGrad and VarGrad, points of integrated gradients; 1 to 1,000."""
    noise = Float(0.1).tag(sync=True)
    """Standard deviation of the noise as a share of the picture's range, 0 to 1."""
    baseline: TraitType[Any, Any] = TraitType(0.0).tag(sync=True)
    """Where integrated gradients begin: "black", "mean", "blur", "noise", a colour or a number.

    A number is a value after normalisation.
    """
    cam_layer = Unicode(None, allow_none=True).tag(sync=True)
    """Layer of Grad-CAM; None for the last one with maps."""
    window = Int().tag(sync=True)
    """Edge of occlusion's patch in pixels; a seventh of the picture by default."""
    stride = Int().tag(sync=True)
    """Step of occlusion in pixels; half the window by default."""
    fill: TraitType[Any, Any] = TraitType("mean").tag(sync=True)
    """What occlusion's patch shows, as `baseline`; the picture's mean colour by default."""
    reduction = Choice(tuple(REDUCTIONS), "max_abs").tag(sync=True)
    """How channels become one value: "max_abs", "mean_abs", "l2", "sum" or "mean".

    Of maps that have channels; it follows `part`.
    """
    part = Choice(tuple(PARTS), "all").tag(sync=True)
    """Signs that are kept of every channel: "all", "absolute", "positive" or "negative"."""
    percentile = Float(99.0).tag(sync=True)
    """Of the magnitudes of a map: full colour, 50 to 100."""
    scale = Choice(SCALES, "each").tag(sync=True)
    """"each": every map's own percentile is full colour; "unit": one range for all of a unit."""
    overlay = Float(0.8).tag(sync=True)
    """Opacity of the maps over the picture, 0 to 1."""

    _picture = Dict().tag(sync=True)
    _classes: List[str] = List().tag(sync=True)
    _likely: List[dict[str, Any]] = List().tag(sync=True)
    _network = Unicode().tag(sync=True)
    _layers: List[str] = List().tag(sync=True)
    _methods: List[dict[str, Any]] = List().tag(sync=True)
    _words = Dict().tag(sync=True)
    _maps: List[dict[str, Any]] = List().tag(sync=True)
    _curves = Dict(default_value=None, allow_none=True).tag(sync=True)
    _cut = Dict(default_value=None, allow_none=True).tag(sync=True)
    _sheet = Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        target: int | str | None = None,
        *,
        score: ScoreFunction | None = None,
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        self._check_keywords(traits)
        network = as_network(net, image)
        name, _ = identify(image, {}, "picture")
        shown = Shown(finite(network.prepare(image)), name)
        self._subject = subject = Subject(network, shown, score)
        self._made = Explanations()
        self._predicted = subject.predicted
        if target is not None:
            traits["target"] = target
        super().__init__(
            network,
            _picture=subject.shown.trait(network),
            _classes=[subject.name(index) for index in range(len(subject.bare))],
            _likely=subject.rows(),
            _network=network.name,
            _layers=layers_with_maps(network),
            _methods=told(),
            _words=subject.words,
            **{**subject.defaults(traits.get("window")), **traits},
        )

    @property
    def result(self) -> Tensor | None:
        """What `method` says of `target`, as its function returns it with the viewer's settings.

        None before the first run. Of a run that goes on or was stopped, what there is; of
        occlusion [H, W], NaN where no patch was yet.
        """
        made = self._made.get(Panel(self.method, self.target))
        return None if made is None else made.attribution

    @property
    def results(self) -> list[Explanation]:
        """The maps that are shown and there."""
        found = [self._made.get(panel) for panel in self.panels()]
        return [made for made in found if made is not None]

    def panels(self) -> list[Panel]:
        """List what is shown: of each method the target, the other class, the random model."""
        shown = []
        for method in dict.fromkeys([self.method, *self.compare]):
            shown.append(Panel(method, self.target))
            if self.against is not None:
                shown.append(Panel(method, self.against))
            if self.randomised:
                shown.append(Panel(method, self.target, randomised=True))
        return shown

    def current(self, made: Explanation | None) -> bool:
        """Whether a map is whole, of these settings and of the weights as they were last seen."""
        return (
            made is not None
            and made.complete
            and made.key == self._subject.shown.key
            and made.settings == self._settings(made.panel.method)
        )

    def run(self) -> None:
        """Compute what is shown and not there yet, in the background; what runs is given up."""
        self._start(self.panels())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over; interrupted, stop it.

        Parameters
        ----------
        timeout
            Seconds; as long as it takes by default.

        Returns
        -------
        bool
            Whether it is over.

        Raises
        ------
        Exception
            What it failed with.
        ValueError
            If a method cannot explain this network; the message says why.
        """
        over = super().wait(timeout)
        if over and self._turns is not None and self._work.refused is not None:
            raise self._work.refused
        return over

    def figure(self) -> Figure:
        """Draw the picture and the maps, with units, ranges, and likeness to a random model's.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from cnnwidgets.widgets.saliency_figure import draw  # noqa: PLC0415 - matplotlib is slow

        pixels, _ = seen(self.net, self._subject.shown.x)
        maps = panels_of(self, self._made, self._subject.name)
        return draw(pixels, maps, self.percentile, self.overlay)

    def preview(self) -> bytes:
        """Draw it as PNG within milliseconds, for the notebook's file."""
        pixels, _ = seen(self.net, self._subject.shown.x)
        maps = panels_of(self, self._made, self._subject.name)
        return preview(pixels, maps, self.percentile, self.overlay)

    def noise_figure(self) -> Figure:
        """Draw SmoothGrad by noise level (rows) and number of samples (columns); this computes.

        Smilkov et al., "SmoothGrad" (2017), figure 3.
        """
        from cnnwidgets.widgets.saliency_figure import draw_noise  # noqa: PLC0415

        self._renew()
        word = METHODS["smoothgrad"].unit_of(self._word(self.measure), {})
        how = words_of(self.reduction, self.part, flat=False)
        title = f"SmoothGrad: {self._subject.name(self.target)}; {word}{how}"
        maps = noise_sheet(self, self._subject)
        return draw_noise(maps, NOISES, SAMPLES, self.percentile, title)

    def recorded(self) -> Iterator[Asked]:
        """Yield the requests that an exported page should answer: the maps, then their stages."""
        shown = self.panels()
        made = sorted(self._made, key=lambda one: one.panel not in shown)
        for name in ("map", "stages"):
            for one in made:
                if name == "map" or self._made.stages(one.panel.id):
                    yield name, {"id": one.panel.id, "version": one.version}

    def close(self) -> None:
        """Stop, free the tensors and take the widget off every page."""
        super().close()
        if "_made" in self.__dict__:  # the constructor may have refused what it was given
            self._made.clear()

    @validate(*NUMBERS, "target", "against", "compare", "cam_layer", "baseline", "fill")
    def _check(self, proposal: Any) -> Any:  # noqa: ANN401 - traitlets' Bunch
        name, value = proposal.trait.name, proposal.value
        if name in {"target", "against"}:
            taken = self.target if name == "against" else None
            return valid_class(name, value, len(self._subject.bare), taken)
        if name == "compare":
            return valid_methods(value)
        if name == "cam_layer":
            return valid_layer(value, layers_with_maps(self.net))
        if name in {"baseline", "fill"}:
            return valid_fill(name, value, self.net, self._subject.shown.x)
        return valid_number(name, value, self._subject.size)

    @observe("target")
    def _unless_compared(self, _change: Any) -> None:  # noqa: ANN401 - traitlets' Bunch
        """Compare a class with none rather than with itself."""
        if self.against == self.target:
            self.set_trait("against", None)

    def _settings(self, method: str) -> dict[str, Any]:
        """Return what a method's map depends on, as it is set now."""
        return {name: getattr(self, name) for name in ("measure", *METHODS[method].settings)}

    def _start(self, panels: Iterable[Panel]) -> None:
        """Compute those of the panels that are not there as they should be."""
        self._halt()
        self._renew()
        wanted = [one for one in panels if not self.current(self._made.get(one))]
        self._work = Run(self._subject, wanted, self._settings)
        self._begin(iter(self._work))

    def _batch(self, made: Explanation) -> None:
        """Take a map after a batch, and let the browser know."""
        if made.error is not None:
            self._failed(self._work.refused or RuntimeError(made.error))
        stage = self._made.put(made)
        with self.hold_sync():
            self.set_trait("progress", self._work.share)
            self._publish(made if stage is not None and not made.complete else None)
        if stage is not None:
            value = {"id": made.panel.id, "version": made.version}
            self.stream("map").offer(value, [stage])

    def _over(self) -> None:
        self._made.trim(self.panels())
        self._publish(None)

    def _publish(self, active: Explanation | None) -> None:
        self._maps = [
            described(
                made,
                self._subject.name(made.panel.target),
                self._word(made.settings["measure"]),
                active=made is active,
                stages=len(self._made.stages(made.panel.id)),
            )
            for made in self._made
        ]

    def _word(self, measure: str) -> str:
        """Return what is explained, in a word that a unit may be made of."""
        return self._subject.words[measure]

    def _renew(self) -> None:
        """Look again if the weights have changed."""
        if not self._subject.renew():
            return
        followed = self.target == self._predicted
        self._predicted = self._subject.predicted
        with self.hold_sync():
            self._picture = self._subject.shown.trait(self.net)
            self._likely = self._subject.rows()
            if followed:
                self.target = self._predicted
