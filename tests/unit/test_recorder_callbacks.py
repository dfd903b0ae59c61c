"""Validation metrics of Lightning and of Hugging Face's Trainer become curves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

import cnnwidgets as cw
from cnnwidgets.training import callbacks
from tests.training import batch, small, train

if TYPE_CHECKING:
    from pathlib import Path

STEPS, EPOCHS = 3, 2
slow = pytest.mark.slow
quiet = pytest.mark.filterwarnings("ignore")  # of theirs


def data() -> TensorDataset:
    return TensorDataset(*batch(0, 8 * STEPS))


@slow
@quiet
def test_lightning(tmp_path: Path) -> None:
    package: Any = pytest.importorskip("pytorch_lightning")

    class Module(package.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = small()
            self.found: list[float] = []

        def training_step(self, given: Any, _index: int) -> Tensor:
            loss = functional.cross_entropy(self.model(given[0]), given[1])
            self.log("loss", 0.0 * loss)
            return loss

        def validation_step(self, given: Any, _index: int) -> None:
            loss = functional.cross_entropy(self.model(given[0]), given[1])
            self.log("val/loss", loss)
            if not self.trainer.sanity_checking:
                self.found.append(loss.item())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.05)

    module = Module()
    with cw.Recorder(module.model, every=1) as run:
        package.Trainer(
            max_epochs=EPOCHS,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
            callbacks=[callbacks.lightning(run)],
        ).fit(module, DataLoader(data(), batch_size=8), DataLoader(data(), batch_size=24))
    assert run.error is None
    assert run.total == EPOCHS * STEPS == run.last_step
    found = run.scalars["val/loss"]
    assert found.steps.tolist() == [STEPS, 2 * STEPS]
    assert found.values.tolist() == pytest.approx(module.found, rel=1e-6)
    epochs = run.scalars["epoch"]
    assert list(zip(epochs.steps.tolist(), epochs.values.tolist(), strict=True)) == [
        (0, 0.0),
        (STEPS, 1.0),
        (2 * STEPS, 2.0),
    ]
    assert (run.scalars["loss"].values > 0).all()  # what backward was called on


class Named(Dataset[dict[str, Tensor]]):
    """Pictures as the Trainer wants them."""

    def __len__(self) -> int:
        return len(data())

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        x, y = data()[index]
        return {"pixel_values": x, "labels": y}


class WithLoss(nn.Module):
    """A model that computes its loss, as those of transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.model = small()

    def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.model(pixel_values)
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


@slow
@quiet
def test_hugging_face_trainer(tmp_path: Path) -> None:
    package: Any = pytest.importorskip("transformers")
    model = WithLoss()
    arguments = package.TrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=8,
        eval_strategy="epoch",
        logging_steps=1,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    with cw.Recorder(model.model, every=1) as run:
        trainer = package.Trainer(
            model=model,
            args=arguments,
            train_dataset=Named(),
            eval_dataset=Named(),
            compute_metrics=lambda given: {
                "accuracy": float((given.predictions.argmax(1) == given.label_ids).mean())
            },
            callbacks=[callbacks.transformers(run)],
        )
        trainer.train()
    assert run.error is None
    assert run.total == EPOCHS * STEPS == run.last_step
    told = [one for one in trainer.state.log_history if "eval_loss" in one]
    for name in ("eval_loss", "eval_accuracy"):
        curve = run.scalars[name]
        assert curve.steps.tolist() == [STEPS, 2 * STEPS]
        assert curve.values.tolist() == pytest.approx([one[name] for one in told])
    epochs = run.scalars["epoch"]
    assert epochs.steps.tolist() == list(range(1, 2 * STEPS + 1))
    assert epochs.values[-1] == EPOCHS
    assert len(set(run.scalars["loss"].values.tolist())) == 2 * STEPS
    assert "grad_norm" not in run.scalars


def test_steps_to_come() -> None:
    with cw.Recorder(model := small()) as run:
        for unknown in (float("inf"), -1, 0):
            callbacks._expect(run, unknown, 0)
        assert run.total is None
        callbacks._expect(run, 10, 0)
        assert run.total == 10
        train(model, steps=3)
        callbacks._expect(run, 10, 4)  # a trainer that goes on from its own fourth step
        assert run.total == 9
        callbacks._expect(run, 4, 4)
        assert run.total == 9


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    with cw.Recorder(small()) as run:
        monkeypatch.setitem(sys.modules, "transformers", None)
        with pytest.raises(ImportError, match="transformers is not installed: pip install"):
            callbacks.transformers(run)
        for name in ("lightning", "lightning.pytorch", "pytorch_lightning"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match="lightning is not installed: pip install lightning"):
            callbacks.lightning(run)
