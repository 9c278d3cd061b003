"""Makes the fixtures of diffusion.test.ts: what a U-Net in PyTorch computes in float64 on small random configurations.

    ~/.cache/zoo-peer/bin/python test/parity/diffusion/make_diffusion_fixtures.py

The U-Net is that of the benchmark's peer (test/bench/peers/unet.py). A fixture holds the output for noisy images, the
loss, and of every gradient its norm and some entries; weights, images and noise come from the generator that both
languages have. Noise is added here by formula, so that schedules and targets are compared too.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "bench" / "peers")]
from make_fixtures import full_sizes_asked, normal, stream, summary, value_of  # noqa: E402
from unet import Unet  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
SEED = 7


# The networks of the zoo at full size, for `npm run parity`.
FULL = {
    "ddpm": {
        **{"imageShape": [28, 28, 1], "channels": 32, "multipliers": [1, 2, 2], "blocks": 1},
        **{"attentionResolutions": [7], "groups": 8},
    },
    "ddpm-cifar": {
        **{"imageShape": [32, 32, 3], "channels": 128, "multipliers": [1, 2, 2, 2], "blocks": 2},
        **{"attentionResolutions": [16], "groups": 32},
    },
}


def alpha_bars(schedule):
    """Ho's section 4, and Nichol & Dhariwal's equation 17, of 1000 steps."""
    if schedule == "linear":
        return np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    f = lambda t: np.cos((t / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2  # noqa: E731
    steps = np.arange(1001)
    return np.cumprod(1 - np.minimum(1 - f(steps[1:]) / f(steps[:-1]), 0.999))


def images(what, shape):
    """[batch, height, width, channels], as ours are, with the channels moved to where PyTorch has them."""
    return torch.from_numpy(normal(stream(SEED, "fixture", what), shape)).permute(0, 3, 1, 2).contiguous()


def fixture(name, options, times, prediction, schedule, labels=None, folder=FOLDER):
    net = Unet(**options).double()
    for key, value in net.named_parameters():
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())
    shape = (len(times), *options["imageShape"])
    x0, noise = images("images", shape), images("noise", shape)
    left = torch.from_numpy(alpha_bars(schedule)[times])[:, None, None, None]
    xt = left.sqrt() * x0 + (1 - left).sqrt() * noise
    target = {"epsilon": noise, "x0": x0, "v": left.sqrt() * noise - (1 - left).sqrt() * x0}[prediction]
    given = () if labels is None else (torch.tensor(labels),)
    output = net(xt, torch.tensor(times, dtype=torch.float64), *given)
    loss = F.mse_loss(output, target)
    loss.backward()
    result = {
        "options": options,
        "seed": SEED,
        "times": times,
        "labels": labels,
        "prediction": prediction,
        "schedule": schedule,
        "output": output.detach().permute(0, 2, 3, 1).flatten().tolist(),
        "loss": loss.item(),
        "gradients": {key: summary(SEED, key, value.grad) for key, value in net.named_parameters()},
    }
    (folder / f"{name}.json").write_text(json.dumps(result) + "\n")


def main():
    asked = full_sizes_asked(FULL)
    if asked:
        for name in asked.names:
            fixture(name, FULL[name], [300], "epsilon", "linear", folder=asked.out)
        return
    FOLDER.mkdir(exist_ok=True)
    small = {"imageShape": [4, 6, 1], "channels": 4, "multipliers": [1, 2], "blocks": 1, "attentionResolutions": [], "groups": 2}
    fixture("narrow", small, [0, 37, 500], "epsilon", "linear")
    deep = {"imageShape": [8, 8, 3], "channels": 6, "multipliers": [1, 2, 3], "blocks": 2, "attentionResolutions": [4], "groups": 3}
    fixture("classes", {**deep, "classes": 3}, [12, 300], "v", "cosine", labels=[2, 3])


if __name__ == "__main__":
    sys.exit(main())
