"""The U-Net of Ho, Jain & Abbeel 2020 (app. B) written anew, with the names of the usual PyTorch port, and a step of its training."""

import math

import torch
import torch.nn.functional as F
from torch import nn


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
        angles = (t[:, None] * frequencies).to(x.dtype)
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


class Ddpm(nn.Module):
    """A training step on the mean squared error of the noise (Ho et al. 2020, algorithm 1)."""

    TIMES = 1000

    def __init__(self):
        super().__init__()
        self.unet = Unet([28, 28, 1], 32, [1, 2, 2], blocks=1, attentionResolutions=[7], groups=8)
        self.unet.to(memory_format=torch.channels_last)
        t = torch.arange(self.TIMES + 1, dtype=torch.float64) / self.TIMES
        kept = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2  # Nichol & Dhariwal 2021, eq. 17
        self.kept = (kept / kept[0])[1:].float()
        self.optimizer = torch.optim.Adam(self.unet.parameters(), lr=1e-3)

    def step(self, x0, bf16):
        x0 = x0.to(memory_format=torch.channels_last)
        t = torch.randint(self.TIMES, (len(x0),))
        noise = torch.randn_like(x0)
        kept = self.kept[t][:, None, None, None]
        x = kept.sqrt() * x0 + (1 - kept).sqrt() * noise
        self.optimizer.zero_grad()
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bf16):
            prediction = self.unet(x, t)
        loss = F.mse_loss(prediction.float(), noise)
        loss.backward()
        self.optimizer.step()
        return loss.item()
