"""Makes the fixture of Inception's features as FID takes them, and of its auxiliary classifier: what PyTorch in float64
computes for narrow networks.

    venv/bin/python test/parity/inception/make_inception_fixtures.py      # as ../make_fixtures.py, whose generator this uses

Pixels are whole numbers of 0 to 255. They are resized as pytorch-fid does it, by F.interpolate to 299 × 299 (bilinear,
align_corners=False, no antialiasing), and scaled to −1 … 1.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

here = Path(__file__).parent
sys.path.append(str(here.parent))
import make_fixtures as base  # noqa: E402
from inception import Inception  # noqa: E402

SEED, WIDTH, CLASSES, IMAGES = 3, 2, 10, 3
SIZES = [(32, 32, 3), (28, 28, 1), (320, 240, 3)]  # enlarged, grey, and made smaller along one axis


def network(dtype, **options):
    net = Inception(WIDTH, CLASSES, **options).to(dtype)
    for name, tensor in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(base.value_of(SEED, name, tuple(tensor.shape))).to(dtype))
    return net.eval()


def pixels(size):
    height, width, channels = size
    key = base.stream(SEED, "pixels", height, width, channels)
    values = base.integers(key, IMAGES * height * width * channels, 256).reshape(IMAGES, height, width, channels)
    return torch.from_numpy(values.transpose(0, 3, 1, 2).copy())


def main():
    torch.set_grad_enabled(False)
    cases = []
    for size in SIZES:
        features = {}
        for dtype in (torch.float64, torch.float32):
            x = pixels(size).to(dtype) / 255
            x = F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
            x = x.expand(-1, 3, -1, -1)
            features[dtype] = network(dtype, fid=True).features(2 * x - 1)[0].double()
        exact, single = features[torch.float64], features[torch.float32]
        error = float((exact - single).abs().max() / exact.abs().max())
        cases.append({"shape": size, "features": exact.tolist(), "float32": error})

    images, _ = base.batch_of(SEED, 0, 2, (299, 299, 3))
    net = network(torch.float64, auxiliary=True)
    logits, auxiliary = net(torch.from_numpy(images).double())
    result = {
        "madeBy": f"make_inception_fixtures.py, PyTorch {torch.__version__.split('+')[0]} in float64",
        "seed": SEED,
        "width": WIDTH,
        "classes": CLASSES,
        "images": IMAGES,
        "features": cases,
        "auxiliary": {
            "names": [name for name in net.state_dict() if not name.endswith("num_batches_tracked")],
            "logits": logits.tolist(),
            "auxiliaryLogits": auxiliary.tolist(),
        },
    }
    (here / "fixtures" / "inception.json").write_text(json.dumps(result))


main()
