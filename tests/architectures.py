"""Ten kinds of networks, small, seeded, with an input each: what users bring."""

# mypy: disable-error-code="no-any-return"
# Calling a module returns Any.
from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = tuple[nn.Module, Tensor]


def seeded(make: Callable[..., Made]) -> Callable[..., Made]:
    """Give a maker of (model, input) its own random numbers."""

    @functools.wraps(make)
    def made(*args: int, **kwargs: int) -> Made:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model, x = make(*args, **kwargs)
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):  # as after training
                    mean, variance = module.running_mean, module.running_var
                    assert mean is not None
                    assert variance is not None
                    mean.normal_(std=0.1)
                    variance.uniform_(0.5, 1.5)
        return model, x

    return made


def conv_bn_relu(
    c_in: int, c_out: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


class VGG16(nn.Module):
    """Sequential, in-place ReLU; Simonyan & Zisserman 2014 at width 64."""

    plan = (1, 1, "pool", 2, 2, "pool", 4, 4, 4, "pool", 8, 8, 8, "pool", 8, 8, 8, "pool")

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for step in self.plan:
            if isinstance(step, str):
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(channels, step * width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = step * width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        hidden = 64 * width
        self.classifier = nn.Sequential(
            nn.Linear(channels * 49, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


@seeded
def vgg16(width: int = 2, size: int = 32, classes: int = 10) -> Made:
    return VGG16(width, classes), torch.randn(1, 3, size, size)


class BasicBlock(nn.Module):
    """Residual; the same in-place ReLU twice, ``+=``."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.downsample = (
            nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
            if stride > 1
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """He et al. 2015; ResNet-18 at width 64 with two blocks a stage."""

    def __init__(self, width: int, classes: int, blocks: tuple[int, ...] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self.stage(width, width, blocks[0])
        self.layer2 = self.stage(width, 2 * width, blocks[1])
        self.layer3 = self.stage(2 * width, 4 * width, blocks[2])
        self.layer4 = self.stage(4 * width, 8 * width, blocks[3])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, classes)

    @staticmethod
    def stage(c_in: int, c_out: int, count: int) -> nn.Sequential:
        first = BasicBlock(c_in, c_out, 1 if c_in == c_out else 2)
        return nn.Sequential(first, *(BasicBlock(c_out, c_out, 1) for _ in range(count - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


@seeded
def resnet18(width: int = 4, size: int = 32, classes: int = 10) -> Made:
    return ResNet(width, classes), torch.randn(1, 3, size, size)


class DenseBlock(nn.Module):
    """Every layer sees all before it: ``torch.cat`` of a growing list; functional ReLU."""

    def __init__(self, channels: int = 4, growth: int = 3, layers: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        widths = [channels + i * growth for i in range(layers)]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.convs = nn.ModuleList(nn.Conv2d(width, growth, 3, padding=1) for width in widths)
        self.head = nn.Linear(channels + layers * growth, 5)

    def forward(self, x: Tensor) -> Tensor:
        found = [self.stem(x)]
        for norm, conv in zip(self.norms, self.convs, strict=True):
            found.append(conv(F.relu(norm(torch.cat(found, 1)))))
        x = F.avg_pool2d(torch.cat(found, dim=1), 2)
        return self.head(x.mean((2, 3)))


@seeded
def dense_block() -> Made:
    return DenseBlock(), torch.randn(1, 3, 12, 12)


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 2, 1)
        self.fc2 = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1))))
        return x * torch.sigmoid(scale)


class MobileNetBlock(nn.Module):
    """Inverted residual with a depthwise convolution and squeeze-excite (MobileNetV3)."""

    def __init__(self, channels: int = 4, expanded: int = 8) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, 2, padding=1), nn.Hardswish())
        self.expand = conv_bn_relu(channels, expanded, 1)
        self.depthwise = conv_bn_relu(expanded, expanded, 5, groups=expanded)
        self.excite = SqueezeExcite(expanded)
        self.project = nn.Sequential(
            nn.Conv2d(expanded, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        self.head = nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.project(self.excite(self.depthwise(self.expand(x))))
        return self.head(F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1))


@seeded
def mobilenet_block() -> Made:
    return MobileNetBlock(), torch.randn(1, 3, 16, 16)


class InceptionBlock(nn.Module):
    """Four branches of different kernel sizes side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu(3, 4, stride=2)
        self.branch1 = conv_bn_relu(4, 2, 1)
        self.branch3 = nn.Sequential(conv_bn_relu(4, 2, 1), conv_bn_relu(2, 3, 3))
        self.branch5 = nn.Sequential(conv_bn_relu(4, 2, 1), conv_bn_relu(2, 3, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv_bn_relu(4, 2, 1))
        self.head = nn.Conv2d(10, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        branches = (self.branch1, self.branch3, self.branch5, self.pool)
        x = torch.cat([branch(x) for branch in branches], 1)
        return self.head(x).mean(dim=[2, 3])


@seeded
def inception_block() -> Made:
    return InceptionBlock(), torch.randn(1, 3, 16, 16)


class UNet(nn.Module):
    """Encoder and decoder with skips; transposed convolution; a class score per pixel."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.down1 = conv_bn_relu(3, width)
        self.down2 = conv_bn_relu(width, 2 * width)
        self.bottom = conv_bn_relu(2 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2)
        self.mix2 = conv_bn_relu(4 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.mix1 = conv_bn_relu(2 * width, width)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        x = self.bottom(F.max_pool2d(second, 2))
        x = self.mix2(torch.cat((self.up2(x), second), dim=1))
        return self.head(self.mix1(torch.cat((self.up1(x), first), dim=1)))


@seeded
def unet() -> Made:
    return UNet(), torch.randn(1, 3, 16, 16)


class TinyViT(nn.Module):
    """Conv stem, class token and positions as parameters, one encoder layer."""

    def __init__(self, dim: int = 8, tokens: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, dim, 3, 2, padding=1), nn.GELU())
        self.patch = nn.Conv2d(dim, dim, 2, stride=2)
        self.token = nn.Parameter(torch.randn(1, 1, dim))
        self.position = nn.Parameter(torch.randn(1, tokens + 1, dim))
        self.encoder = nn.TransformerEncoderLayer(dim, 2, 16, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(self.stem(x)).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.position
        return self.head(self.norm(self.encoder(x))[:, 0])


@seeded
def tiny_vit() -> Made:
    return TinyViT(), torch.randn(1, 3, 16, 16)


@seeded
def first_cnn(channels: int = 3, size: int = 32) -> Made:
    """conv32-conv32-pool-conv64-conv64-pool-fc256-fc10: 477,994 parameters on RGB of 32²."""
    side = ((size - 4) // 2 - 4) // 2
    model = nn.Sequential(
        nn.Conv2d(channels, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * side * side, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    )
    return model, torch.randn(1, channels, size, size)


class Recurrent(nn.Module):
    """Reads the columns of its maps one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.gru = nn.GRU(4 * 8, 6, batch_first=True)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(x)).permute(0, 3, 1, 2).flatten(2)
        states, last = self.gru(x)
        return self.head(last[-1] + states.mean(1))


@seeded
def recurrent() -> Made:
    return Recurrent(), torch.randn(1, 1, 8, 8)


class DictOutput(nn.Module):
    """Two heads, one convolution used twice, a dict returned."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.shared = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)
        self.mask = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = F.leaky_relu(self.shared(F.leaky_relu(self.shared(self.stem(x)))))
        return {"mask": torch.sigmoid(self.mask(x)), "logits": self.head(x.mean((-2, -1)))}


@seeded
def dict_output() -> Made:
    return DictOutput(), torch.randn(1, 3, 10, 10)


ARCHITECTURES: dict[str, Callable[[], Made]] = {
    "vgg16": vgg16,
    "resnet18": resnet18,
    "dense_block": dense_block,
    "mobilenet_block": mobilenet_block,
    "inception_block": inception_block,
    "unet": unet,
    "tiny_vit": tiny_vit,
    "first_cnn": first_cnn,
    "recurrent": recurrent,
    "dict_output": dict_output,
}
"""Name → a function that returns (model in training mode, a batch of one)."""
