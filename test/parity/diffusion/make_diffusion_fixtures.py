"""Makes the fixtures of diffusion.test.ts: what a U-Net in PyTorch computes in float64 on small random configurations.

    ~/.cache/zoo-peer/bin/python test/parity/diffusion/make_diffusion_fixtures.py

The U-Net is Ho, Jain & Abbeel's (2020, app. B) written anew, with the names of the usual PyTorch port. A fixture holds
the output for noisy images, the loss, and of every gradient its norm and some entries; weights, images and noise come
from the generator that both languages have. Noise is added here by formula, so that schedules and targets are compared too.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import normal, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
SEED = 7


def norm(channels, groups):
    return nn.GroupNorm(groups, channels, eps=1e-6)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, channels, told, groups):
        super().__init__()
        self.norm1 = norm(in_channels, groups)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.temb_proj = nn.Linear(told, channels)
        self.norm2 = norm(channels, groups)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        if in_channels != channels:
            self.nin_shortcut = nn.Conv2d(in_channels, channels, 1)

    def forward(self, x, told):
        h = self.conv1(F.silu(self.norm1(x))) + self.temb_proj(F.silu(told))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttentionBlock(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm = norm(channels, groups)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (part(h).flatten(2) for part in (self.q, self.k, self.v))  # [batch, channels, pixels]
        weights = torch.softmax(torch.einsum("bcq,bck->bqk", q, k) / math.sqrt(q.shape[1]), -1)
        return x + self.proj_out(torch.einsum("bqk,bck->bcq", weights, v).view_as(x))


class Level(nn.Module):
    """Blocks of one size of image, each with attention or none, and what leads to the next size."""

    def __init__(self, in_channels, channels, told, groups, attends):
        super().__init__()
        self.block = nn.ModuleList(ResidualBlock(n, channels, told, groups) for n in in_channels)
        self.attn = nn.ModuleList(AttentionBlock(channels, groups) for _ in in_channels if attends)

    def run(self, i, x, told):
        x = self.block[i](x, told)
        return self.attn[i](x) if len(self.attn) > 0 else x


class Resample(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=stride, padding=1 if stride == 1 else 0)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2) if self.conv.stride == (1, 1) else F.pad(x, (0, 1, 0, 1)))


class Unet(nn.Module):
    def __init__(self, imageShape, channels, multipliers, blocks, attentionResolutions, groups, classes=None):
        super().__init__()
        height, _, image_channels = imageShape
        told = 4 * channels
        widths = [m * channels for m in multipliers]
        attends = [height >> level in attentionResolutions for level in range(len(widths))]
        self.channels, self.blocks = channels, blocks
        self.temb = nn.Module()
        self.temb.dense = nn.ModuleList([nn.Linear(channels, told), nn.Linear(told, told)])
        if classes is not None:
            self.label_emb = nn.Embedding(classes + 1, told)
        self.conv_in = nn.Conv2d(image_channels, channels, 3, padding=1)
        kept, now = [channels], channels
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            down = Level([now] + [width] * (blocks - 1), width, told, groups, attends[level])
            kept += [width] * blocks
            now = width
            if level < len(widths) - 1:
                down.downsample = Resample(width, 2)
                kept.append(width)
            self.down.append(down)
        self.mid = nn.Module()
        self.mid.block_1 = ResidualBlock(now, now, told, groups)
        self.mid.attn_1 = AttentionBlock(now, groups)
        self.mid.block_2 = ResidualBlock(now, now, told, groups)
        ups = []
        for level, width in reversed(list(enumerate(widths))):
            ins = []
            for _ in range(blocks + 1):
                ins.append(now + kept.pop())
                now = width
            up = Level(ins, width, told, groups, attends[level])
            if level > 0:
                up.upsample = Resample(width, 1)
            ups.append(up)
        self.up = nn.ModuleList(reversed(ups))
        self.norm_out = norm(now, groups)
        self.conv_out = nn.Conv2d(now, image_channels, 3, padding=1)

    def forward(self, x, t, labels=None):
        half = self.channels // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float64) / (half - 1))
        angles = t[:, None] * frequencies
        told = torch.cat([angles.sin(), angles.cos()], 1)
        told = self.temb.dense[1](F.silu(self.temb.dense[0](told)))
        if labels is not None:
            told = told + self.label_emb(labels)
        h = self.conv_in(x)
        kept = [h]
        for down in self.down:
            for i in range(self.blocks):
                h = down.run(i, h, told)
                kept.append(h)
            if hasattr(down, "downsample"):
                h = down.downsample(h)
                kept.append(h)
        h = self.mid.block_2(self.mid.attn_1(self.mid.block_1(h, told)), told)
        for up in reversed(self.up):
            for i in range(self.blocks + 1):
                h = up.run(i, torch.cat([h, kept.pop()], 1), told)
            if hasattr(up, "upsample"):
                h = up.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))


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


def fixture(name, options, times, prediction, schedule, labels=None):
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
    (FOLDER / f"{name}.json").write_text(json.dumps(result) + "\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    small = {"imageShape": [4, 6, 1], "channels": 4, "multipliers": [1, 2], "blocks": 1, "attentionResolutions": [], "groups": 2}
    fixture("narrow", small, [0, 37, 500], "epsilon", "linear")
    deep = {"imageShape": [8, 8, 3], "channels": 6, "multipliers": [1, 2, 3], "blocks": 2, "attentionResolutions": [4], "groups": 3}
    fixture("classes", {**deep, "classes": 3}, [12, 300], "v", "cosine", labels=[2, 3])


if __name__ == "__main__":
    sys.exit(main())
