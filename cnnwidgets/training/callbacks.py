"""What a trainer knows and no hook sees, told to a recorder: metrics, the epoch, steps to come.

Lightning and transformers are imported when they are asked for, and are no dependencies.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnwidgets.training.recorder import Recorder

_SEEN = {"loss", "learning_rate", "grad_norm"}
"""What the recorder sees by itself, at every step."""
_LIGHTNING = ("lightning.pytorch", "pytorch_lightning")


def lightning(run: Recorder) -> Any:  # noqa: ANN401 - a class of Lightning's
    """Return a callback for Lightning's Trainer, which tells a recorder what validation found.

    Parameters
    ----------
    run
        The recorder.

    Returns
    -------
    Callback
        For ``Trainer(callbacks=[…])``. Whatever the module has logged by the end of a validation
        or an epoch becomes a curve of the run, and so does ``epoch``; the run's `total` becomes
        the number of steps that the trainer expects.

    Raises
    ------
    ImportError
        If Lightning is not installed.

    Examples
    --------
    >>> with cw.Recorder(module) as run:
    ...     Trainer(callbacks=[callbacks.lightning(run)]).fit(module, batches, validation)
    """

    def tell(trainer: Any) -> None:  # noqa: ANN401
        if not trainer.sanity_checking:
            _log(run, trainer.callback_metrics)

    class Callback(_imported("lightning", *_LIGHTNING).Callback):  # type: ignore[misc]  # known at run time
        def on_train_start(self, trainer: Any, _module: Any) -> None:  # noqa: ANN401
            _expect(run, trainer.estimated_stepping_batches, trainer.global_step)

        def on_train_epoch_start(self, trainer: Any, _module: Any) -> None:  # noqa: ANN401
            _log(run, {"epoch": trainer.current_epoch})

        def on_validation_end(self, trainer: Any, _module: Any) -> None:  # noqa: ANN401
            tell(trainer)

        def on_train_epoch_end(self, trainer: Any, _module: Any) -> None:  # noqa: ANN401
            tell(trainer)
            _log(run, {"epoch": trainer.current_epoch + 1})

    return Callback()


def transformers(run: Recorder) -> Any:  # noqa: ANN401 - a class of transformers'
    """Return a callback for Hugging Face's Trainer, which tells a recorder what evaluation found.

    Parameters
    ----------
    run
        The recorder.

    Returns
    -------
    TrainerCallback
        For ``Trainer(callbacks=[…])``. Metrics of evaluations, and the epoch, become curves of
        the run; its `total` becomes the number of steps that the trainer expects.

    Raises
    ------
    ImportError
        If transformers is not installed.
    """

    class Callback(_imported("transformers", "transformers").TrainerCallback):  # type: ignore[misc]  # known at run time
        def on_train_begin(self, _arguments: Any, state: Any, _control: Any, **_: Any) -> None:  # noqa: ANN401
            _expect(run, state.max_steps, state.global_step)

        def on_log(
            self,
            _arguments: Any,  # noqa: ANN401
            _state: Any,  # noqa: ANN401
            _control: Any,  # noqa: ANN401
            logs: Mapping[str, Any] | None = None,
            **_: Any,  # noqa: ANN401
        ) -> None:
            _log(run, logs or {})

    return Callback()


def _log(run: Recorder, metrics: Mapping[str, Any]) -> None:
    run.log(**{name: value for name, value in metrics.items() if name not in _SEEN})


def _expect(run: Recorder, steps: float, made: int) -> None:
    """Tell how many steps there will be; a trainer counts those before it was resumed, too."""
    if made < steps < math.inf:
        run.total = run.last_step + int(steps) - made


def _imported(package: str, *names: str) -> Any:  # noqa: ANN401 - a module
    """Import the first of several modules that is installed."""
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError as error:  # noqa: PERF203 - two names at most
            if not name.startswith(error.name or name):  # it is there, what it needs is not
                raise
    raise ImportError(f"{package} is not installed: pip install {package}")
