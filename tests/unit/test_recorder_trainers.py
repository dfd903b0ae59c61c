"""The loops of Lightning, of Hugging Face's Trainer and of accelerate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

import cnnwidgets as cw
from tests.training import batch, small

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 6
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of theirs


def data() -> TensorDataset:
    return TensorDataset(*batch(0, 8 * STEPS))


def check(run: cw.Recorder, losses: list[float], steps: int = STEPS) -> None:
    assert run.error is None
    assert run.steps == list(range(1, steps + 1))
    assert run.scalars["loss"].values.tolist() == pytest.approx(losses, rel=1e-5)
    for quantity in ("weights", "gradients", "activations"):
        assert (run.statistics("3", quantity).norm > 0).all()
    assert (run.statistics("3").update > 0).all()
    assert len(run.scalars["learning_rate"].steps) == steps


def test_lightning(tmp_path: Path) -> None:
    lightning: Any = pytest.importorskip("pytorch_lightning")

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = small()
            self.losses: list[float] = []

        def training_step(self, given: Any, _index: int) -> Tensor:
            x, y = given
            loss = functional.cross_entropy(self.model(x), y)
            self.losses.append(loss.item())
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.05)

    module = Module()
    trainer = lightning.Trainer(
        max_epochs=1,
        accumulate_grad_batches=2,
        gradient_clip_val=0.1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    with cw.Recorder(module.model, every=1) as run:
        trainer.fit(module, DataLoader(data(), batch_size=8))
    pairs = zip(module.losses[::2], module.losses[1::2], strict=True)
    check(run, [(a + b) / 2 for a, b in pairs], STEPS // 2)
    assert run.scalars["gradient_norm"].values.max() < 0.101


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
        self.losses: list[float] = []

    def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.model(pixel_values)
        loss = functional.cross_entropy(logits, labels)
        self.losses.append(loss.item())
        return {"loss": loss, "logits": logits}


def test_hugging_face_trainer(tmp_path: Path) -> None:
    transformers: Any = pytest.importorskip("transformers")
    model = WithLoss()
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=STEPS,
        per_device_train_batch_size=8,
        learning_rate=0.01,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=Named())
    with cw.Recorder(model.model, every=1) as run:
        trainer.train()
    check(run, model.losses)
    rates = run.scalars["learning_rate"].values
    assert rates[0] > rates[-1] > 0  # its schedule


def test_accelerate() -> None:
    accelerate: Any = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    losses = []
    with cw.Recorder(model, every=1, optimizer=optimizer) as run:
        wrapped, stepper, loader = accelerator.prepare(
            model, optimizer, DataLoader(data(), batch_size=8)
        )
        for x, y in loader:
            with accelerator.accumulate(wrapped):
                loss = functional.cross_entropy(wrapped(x), y)
                accelerator.backward(loss)
                stepper.step()
                stepper.zero_grad()
            losses.append(loss.item() / 2)
    check(run, [a + b for a, b in zip(losses[::2], losses[1::2], strict=True)], STEPS // 2)
    run = cw.Recorder(model, optimizer=stepper)  # what it wraps is meant
    run.close()
