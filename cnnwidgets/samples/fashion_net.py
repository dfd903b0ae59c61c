"""The network of `cnnwidgets.samples.fashion`: small enough to look at every number in it."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


class FashionNet(nn.Module):
    """Four 3x3 convolutions, two poolings, two dense layers: 329,962 parameters.

    The classic first network for CIFAR-10 (conv 32, conv 32, pool, conv 64, conv 64, pool, dense
    256, dense 10), with one input channel of 28x28 pixels instead of three of 32x32. No convolution
    is padded: 28 → 26 → 24 → 12 → 10 → 8 → 4, so the dense part begins with 64·4·4 = 1,024 numbers.

    Parameters
    ----------
    classes
        Number of classes, one logit each.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.block1 = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(1, 32, kernel_size=3),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(32, 32, kernel_size=3),
                relu2=nn.ReLU(),
                pool=nn.MaxPool2d(2),
                dropout=nn.Dropout(0.25),
            )
        )
        self.block2 = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(32, 64, kernel_size=3),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(64, 64, kernel_size=3),
                relu2=nn.ReLU(),
                pool=nn.MaxPool2d(2),
                dropout=nn.Dropout(0.25),
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                fc1=nn.Linear(64 * 4 * 4, 256),
                relu=nn.ReLU(),
                dropout=nn.Dropout(0.5),
                fc2=nn.Linear(256, classes),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes] of normalised pictures [N, 1, 28, 28]."""
        x = self.block1(x)
        x = self.block2(x)
        logits: Tensor = self.classifier(x)
        return logits
