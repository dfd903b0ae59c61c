"""Diagnosis: what goes wrong in a run, at which step, in which layer, and what to do about it.

`Diagnosis` is told of every step and keeps little of it. Its rules, and where they are from:

zero gradients
    At least 70 % of a layer's gradient is exactly zero, three records in a row. Zhang, Zhai, Ma and
    Shen, *AutoTrainer: An Automatic DNN Training Problem Detection and Repair System*, ICSE 2021
    (section 3.2, dying ReLU).
vanishing gradients, exploding gradients
    The first layer's gradient norm is less than a thousandth of the last one's, and less than
    0.0001, yet not 0; or more than 70 times the last one's; three records in a row. AutoTrainer,
    section 3.2.
dead units
    At least 80 % of the units of a convolution were not positive in 8 to 16 recorded batches.
    Half of them, a common rule, is a false alarm in many a healthy network. Lu, Shin, Su and
    Karniadakis, *Dying ReLU and Initialization*, 2019 (arXiv:1903.06733).
not finite
    A loss, weight, gradient or activation is NaN or infinite. It names the layer in which that
    began if layers were recorded at the step; a step later all weights may be NaN.
not learning
    After 50 steps the mean loss of 20 steps is no better than that of guessing, ln(classes), and
    does not fall. Karpathy, *A Recipe for Training Neural Networks*, 2019 (loss at the start).
diverging
    The mean loss of 20 steps is more than four times the best one.
overfitting
    The validation loss is a tenth above the training loss and not the best one, twice in a row.
    Prechelt, *Early Stopping – But When?*, 1998.
gradient spike
    The norm of all gradients is 7 standard deviations above the mean of the last 100 steps, and
    twice that mean; a mark, no error. Chowdhery et al., *PaLM*, 2022 (arXiv:2204.02311, section
    5.1), on such spikes.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from torch import nn
from torch.nn.modules.conv import _ConvNd

from cnnwidgets.training import remedies
from cnnwidgets.training.findings import Finding
from cnnwidgets.training.table import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnwidgets.training.table import Table

ZERO_GRADIENTS = 0.7
VANISHING_RATIO, VANISHING_NORM, EXPLODING_RATIO = 1e-3, 1e-4, 70.0
DEAD_UNITS = 0.8
GUESSING = 0.98  # of ln(classes)
PATIENT_STEPS = 50
SMOOTHING = 20
DIVERGING = 4.0
GAP = 0.1
SPIKE = 7.0
VALIDATION = ("val_loss", "valid_loss", "validation_loss", "eval_loss", "val/loss", "test_loss")

_COUNTS = [FIELDS.index(name) for name in ("nans", "infs")]
_PERSISTENT = 3  # records in a row
_TWICE = 2
_WINDOW, _ENOUGH = 100, 30
_MOST_MARKS = 100


@dataclass
class Diagnosis:
    """Looks at a run step by step.

    Attributes
    ----------
    classes
        How many classes the network tells apart; None if that is not known or it is no classifier.
    layers
        Convolutions and dense layers from input to output; None: all that have gradients.
    convolutions
        Those of them that are convolutions.
    """

    classes: int | None = None
    layers: Sequence[str] | None = None
    convolutions: frozenset[str] = frozenset()
    _found: set[str | tuple[str, str | None]] = field(default_factory=set)
    _lasting: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=SMOOTHING))
    _earlier: deque[float] = field(default_factory=lambda: deque(maxlen=SMOOTHING))
    _norms: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _squares: float = 0.0
    _first_loss: float = math.nan
    _best: float = math.inf
    _best_validation: float = math.inf
    _lost: tuple[int, float] | None = None
    """Step and loss when the loss was no number first, as long as that may be the layers' cause."""
    _broken: int | None = None
    """When a layer was found to be not finite."""
    _marks: int = 0
    _steps: int = 0
    _table: Table | None = None

    def scalars(self, step: int, scalars: Mapping[str, float]) -> list[Finding]:
        """Look at a step's loss and gradient norm, or at what was logged."""
        found: list[Finding] = []
        for name, value in scalars.items():
            if name == "loss":
                found += self._loss(step, value)
            elif name == "gradient_norm":
                found += self._spike(step, value)
            elif name in VALIDATION:
                found += self._validation(step, value)
        return found

    def table(self, step: int, table: Table) -> list[Finding]:
        """Look at what was measured of the layers."""
        self._table = table
        return [*self._not_finite(step, table), *self._gradients(step, table)]

    def _loss(self, step: int, loss: float) -> Iterator[Finding]:
        self._steps += 1
        if not math.isfinite(loss):
            yield from self._lose(step, loss)
            return
        if math.isnan(self._first_loss):
            self._first_loss = loss
        if len(self._losses) == SMOOTHING:
            self._earlier.append(_mean(self._losses))
        self._losses.append(loss)
        if len(self._losses) < SMOOTHING:
            return
        mean = _mean(self._losses)
        self._best = min(self._best, mean)
        if mean > DIVERGING * self._best and self._best > 0:
            yield from self._once("diverging", step, None, loss=mean, best=self._best)
        if self.classes and self._steps >= PATIENT_STEPS and self._guesses(mean):
            guess = math.log(self.classes)
            yield from self._once("not learning", step, None, loss=mean, guessing=guess)

    def _lose(self, step: int, loss: float) -> Iterator[Finding]:
        """Find that a loss is no number, unless its layer was named at the step before."""
        self._lost = self._lost or (step, loss)
        if self._broken is None or step > self._broken + 1:
            yield from self._once("not finite", step, None, loss=loss)

    def _guesses(self, mean: float) -> bool:
        """Whether a loss is one of guessing, and stays so."""
        guess = math.log(self.classes or 1)
        near = mean <= guess / GUESSING**2 or mean >= GUESSING * self._first_loss
        return mean >= GUESSING * guess and near and mean >= GUESSING * self._earlier[0]

    def _spike(self, step: int, norm: float) -> Iterator[Finding]:
        if not math.isfinite(norm):
            return
        norms = self._norms
        if len(norms) >= _ENOUGH and self._marks < _MOST_MARKS:
            mean = _mean(norms)
            deviation = math.sqrt(max(self._squares / len(norms) - mean * mean, 0.0))
            if norm > mean + SPIKE * deviation and norm > _TWICE * mean:
                self._marks += 1
                numbers = {"norm": norm, "mean": mean, "deviation": deviation}
                yield self._finding("gradient spike", step, None, numbers)
        if len(norms) == _WINDOW:
            self._squares -= norms[0] ** 2
        norms.append(norm)
        self._squares += norm * norm

    def _validation(self, step: int, loss: float) -> Iterator[Finding]:
        if not math.isfinite(loss) or len(self._losses) < SMOOTHING:
            return
        training = _mean(self._losses)
        worse = loss > self._best_validation
        self._best_validation = min(self._best_validation, loss)
        apart = worse and loss > (1 + GAP) * training
        yield from self._lasts(
            "overfitting", step, None, apart, _TWICE, validation=loss, training=training
        )

    def _not_finite(self, step: int, table: Table) -> Iterator[Finding]:
        """Find where it began: a pass goes forward, then backward, then the weights change."""
        if self._broken is not None:
            return
        counts = table.values[:, _COUNTS]
        rows = np.flatnonzero(counts.sum(1) > 0).tolist()
        bad = [(*table.keys[row], *counts[row].tolist()) for row in rows]
        if not bad:
            self._lost = None  # the optimizer left that step out
        elif self._lost is not None and self._lost[0] < step:
            return
        for quantity, order in (("activations", 1), ("gradients", -1), ("weights", 1)):
            for layer, of, nans, infs in bad[::order]:
                if of == quantity:
                    self._broken = step
                    lost = {} if self._lost is None else {"loss": self._lost[1]}
                    evidence = {**lost, f"NaN {of}": nans, f"infinite {of}": infs}
                    yield self._finding("not finite", step, layer, evidence)
                    return

    def _gradients(self, step: int, table: Table) -> Iterator[Finding]:
        measured = [layer for layer, quantity in table.keys if quantity == "gradients"]
        layers = [one for one in self.layers or measured if one in measured]
        for layer in layers:
            zeros = table.get(layer, "gradients", "zeros")
            bad = zeros >= ZERO_GRADIENTS
            yield from self._lasts("zero gradients", step, layer, bad, _PERSISTENT, zeros=zeros)
        for layer in self.convolutions:
            dead = table.get(layer, "activations", "dead")
            if dead >= DEAD_UNITS:
                yield from self._once("dead units", step, layer, dead=dead)
        if len(layers) > 1:
            first = table.get(layers[0], "gradients", "norm")
            last = table.get(layers[-1], "gradients", "norm")
            numbers = {"first": first, "last": last}
            vanish = 0 < first < min(VANISHING_RATIO * last, VANISHING_NORM)
            explode = math.isfinite(first) and first > EXPLODING_RATIO * last > 0
            for kind, bad in (("vanishing gradients", vanish), ("exploding gradients", explode)):
                yield from self._lasts(kind, step, layers[0], bad, _PERSISTENT, **numbers)

    def _lasts(
        self, kind: str, step: int, layer: str | None, bad: bool, times: int, **evidence: float  # noqa: FBT001
    ) -> Iterator[Finding]:  # fmt: skip
        """Find what was so for several times in a row."""
        self._lasting[kind, layer] = self._lasting[kind, layer] + 1 if bad else 0
        if self._lasting[kind, layer] >= times:
            yield from self._once(kind, step, layer, **evidence)

    def _once(
        self, kind: str, step: int, layer: str | None, **evidence: float
    ) -> Iterator[Finding]:
        if (kind, layer) not in self._found:
            self._found.add((kind, layer))
            yield self._finding(kind, step, layer, evidence)

    def _finding(
        self, kind: str, step: int, layer: str | None, evidence: dict[str, float]
    ) -> Finding:
        died = any(known[0] in {"dead units", "zero gradients"} for known in self._found)
        severity, message = remedies.of(kind, evidence, died=died, update=self._update())
        return Finding(kind, severity, step, layer, evidence, message)

    def _update(self) -> float:
        """Return the middle of the layers' update:weight ratios, NaN if none was measured."""
        if self._table is None:
            return math.nan
        keys = [key for key in self._table.keys if key[1] == "weights"]
        ratios = [self._table.get(*key, "update") for key in keys]
        measured = [ratio for ratio in ratios if math.isfinite(ratio)]
        return float(np.median(measured)) if measured else math.nan


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def diagnosis_of(model: nn.Module) -> Diagnosis:
    """Return a diagnosis that knows the layers of a model."""
    named = [(name, module) for name, module in model.named_modules()]
    layers = [name for name, module in named if isinstance(module, (_ConvNd, nn.Linear))]
    dense = [module.out_features for _, module in named if isinstance(module, nn.Linear)]
    return Diagnosis(
        classes=dense[-1] if dense and dense[-1] > 1 else None,
        layers=layers,
        convolutions=frozenset(name for name, module in named if isinstance(module, _ConvNd)),
    )
