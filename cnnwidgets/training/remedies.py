"""In plain words: what a finding is, what probably causes it and what to do about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnwidgets.training.findings import Severity

TOO_SMALL = 1e-4
"""Update:weight ratios below it are small; above a hundredth they are large. Karpathy, *CS231n*
notes, "Babysitting the learning process": it should be about a thousandth."""

_SAID: dict[str, tuple[Severity, str]] = {
    "zero gradients": (
        "error",
        (
            "{zeros:.0%} of the layer's gradient is exactly zero, so that it cannot learn: its "
            "units, or those behind it, are dead, most often after a learning rate that was too "
            "high. Start again with a tenth of the rate; leaky ReLU or normalisation makes it less "
            "likely."
        ),
    ),
    "vanishing gradients": (
        "error",
        (
            "The gradient shrinks from {last:.1e} at the last layer to {first:.1e} at this one, so "
            "that the early layers hardly learn. Use ReLU in place of sigmoid or tanh, He "
            "initialisation, normalisation, or shortcuts around layers."
        ),
    ),
    "exploding gradients": (
        "error",
        (
            "The gradient grows from {last:.1e} at the last layer to {first:.1e} at this one, so "
            "that steps are too large for the early layers. Check the initialisation, clip the "
            "gradient norm, normalise between layers, or lower the learning rate."
        ),
    ),
    "dead units": (
        "error",
        (
            "{dead:.0%} of the units give nothing on any picture of the last batches, and do not "
            "come back by themselves. The learning rate was too high, or biases start too low: "
            "start again with a tenth of the rate, or with leaky ReLU."
        ),
    ),
    "diverging": (
        "error",
        (
            "The loss went up to {loss:.3g}, from {best:.3g} at its best. The learning rate is too "
            "high: lower it by a factor of 3 to 10, or let it warm up."
        ),
    ),
    "overfitting": (
        "warning",
        (
            "The validation loss rises ({validation:.3g}) while the training loss is at "
            "{training:.3g}: the network learns the training pictures by heart. Stop at the best "
            "validation loss, or use more data, augmentation, dropout, weight decay."
        ),
    ),
    "gradient spike": (
        "mark",
        (
            "The norm of the gradient is {norm:.2g} here, usually {mean:.2g}. A batch of odd "
            "pictures or wrong labels does that; if spikes come often, clip the gradient norm."
        ),
    ),
}


def of(
    kind: str, evidence: Mapping[str, float], *, died: bool, update: float
) -> tuple[Severity, str]:
    """Return how bad a finding is, and what to say of it.

    Parameters
    ----------
    kind, evidence
        What was found, see `cnnwidgets.training.diagnosis`.
    died
        Whether units or gradients of the run are known to be dead.
    update
        The update:weight ratio of the run; NaN if it is not known.
    """
    if kind == "not finite":
        return "error", _not_finite(evidence)
    if kind == "not learning":
        return "error", _not_learning(evidence, died=died, update=update)
    severity, message = _SAID[kind]
    return severity, message.format(**evidence)


def _not_finite(evidence: Mapping[str, float]) -> str:
    loss = evidence.get("loss")
    word = "" if loss is None else "NaN" if math.isnan(loss) else "infinite"
    said = f"The loss is {word}; no step helps any more. " if word else ""
    counts = ", ".join(f"{name}: {count:.0f}" for name, count in evidence.items() if name != "loss")
    causes = (
        "The learning rate is too high, something divides by zero or takes the logarithm of it, or "
        "the input holds such values already."
    )
    if not counts:
        return (
            f"{said}In which layer it began is not known; Recorder(model, every=1) records them at "
            f"each step. {causes} Lower the rate, clip the gradient norm, and check the loss and "
            "the input."
        )
    if word and "NaN gradients" in evidence:
        return (
            f"{said}{counts}. They came back from the loss through this layer first, and nothing "
            "like it was seen in what the layers put out: most likely the loss itself divides by "
            "zero, or takes the logarithm of it. Check how it is computed, and the labels."
        )
    return (
        f"{said}{counts}. No layer before it had such values when it was recorded. {causes} Lower "
        "the rate, clip the gradient norm, and check this layer's input."
    )


def _not_learning(evidence: Mapping[str, float], *, died: bool, update: float) -> str:
    what = "The loss is {loss:.3g}, and guessing gives {guessing:.3g}.".format(**evidence)
    if died:
        why = "Units are dead: the learning rate is too high. Start again with a tenth of it."
    elif update < TOO_SMALL:
        why = (
            f"A step changes the weights by {update:.0e} of their size: the learning rate is too "
            "low, or the gradient too small to move anything. Raise the rate tenfold."
        )
    elif math.isfinite(update):
        why = (
            f"The weights do move, by {update:.0e} of their size at each step, but to no effect: "
            "a learning rate that is too high jumps about; else check that pictures and labels "
            "belong together, and that the input is normalised."
        )
    else:
        why = "The learning rate is too high or too low, or labels do not belong to the pictures."
    return f"{what} {why}"
