"""One thing that is wrong with a training run; `cnnwidgets.training.diagnosis` has the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity: TypeAlias = Literal["error", "warning", "mark"]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run, or worth a look.

    Attributes
    ----------
    kind
        ``"dead units"``, ``"vanishing gradients"`` …, see `cnnwidgets.training.diagnosis`.
    severity
        ``"error"``: the run will not come to anything; ``"warning"``; ``"mark"``: worth a look.
    step
        When it was found.
    layer
        Where; None if it is about the run.
    evidence
        The numbers that the rule looked at.
    message
        What it is, its likely cause and the remedy.
    """

    kind: str
    severity: Severity
    step: int
    layer: str | None
    evidence: dict[str, float]
    message: str

    def __str__(self) -> str:
        where = f", {self.layer}" if self.layer else ""
        return f"step {self.step}{where}: {self.kind}. {self.message}"


def by_cause(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out what another finding of the step says too, with its layer.

    That a loss is no number is known before the layers are.
    """
    named = {(one.kind, one.step) for one in findings if one.layer is not None}
    return [one for one in findings if one.layer is not None or (one.kind, one.step) not in named]
