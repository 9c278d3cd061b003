"""Networks that begin with patches, under timm's names: ViT, MLP-Mixer and ConvNeXt (models/src/vision cites the papers)."""

import torch
import torch.nn.functional as F
from torch import nn


class Mlp(nn.Module):
    """timm's names."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Patches(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, dim))


class VitBlock(nn.Module):
    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, eps=1e-6), Attention(dim, heads)
        self.norm2, self.mlp = nn.LayerNorm(dim, eps=1e-6), Mlp(dim, ratio * dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """timm's names."""

    def __init__(self, patch, dim, depth, heads, tokens, ratio=4, classes=10):
        super().__init__()
        self.cls_token, self.pos_embed = nn.Parameter(torch.zeros(1, 1, dim)), nn.Parameter(torch.zeros(1, tokens + 1, dim))
        self.patch_embed = Patches(patch, dim)
        self.blocks = nn.Sequential(*(VitBlock(dim, heads, ratio) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class MixerBlock(nn.Module):
    def __init__(self, tokens, dim, token_units, channel_units):
        super().__init__()
        self.norm1, self.mlp_tokens = nn.LayerNorm(dim, eps=1e-6), Mlp(tokens, token_units)
        self.norm2, self.mlp_channels = nn.LayerNorm(dim, eps=1e-6), Mlp(dim, channel_units)

    def forward(self, x):
        x = x + self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mlp_channels(self.norm2(x))


class Mixer(nn.Module):
    """timm's names."""

    def __init__(self, patch, dim, depth, token_units, channel_units, tokens, classes=10):
        super().__init__()
        self.stem = Patches(patch, dim)
        self.blocks = nn.Sequential(*(MixerBlock(tokens, dim, token_units, channel_units) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, classes)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x))).mean(1))


class ChannelNorm(nn.LayerNorm):
    """Of the channels of an image."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class ConvNextBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.mlp = nn.LayerNorm(width, eps=1e-6), Mlp(width, 4 * width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        y = self.mlp(self.norm(self.conv_dw(x).movedim(1, -1)))
        return x + (self.gamma * y).movedim(-1, 1)


class ConvNext(nn.Module):
    """timm's names, without stochastic depth."""

    def __init__(self, depths, widths, patch, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], patch, patch), ChannelNorm(widths[0], eps=1e-6))
        self.stages = nn.Sequential()
        for i, (depth, width) in enumerate(zip(depths, widths)):
            stage = nn.Sequential()
            if i > 0:
                down = [ChannelNorm(widths[i - 1], eps=1e-6), nn.Conv2d(widths[i - 1], width, 2, 2)]
                stage.downsample = nn.Sequential(*down)
            stage.blocks = nn.Sequential(*(ConvNextBlock(width) for _ in range(depth)))
            self.stages.append(stage)
        self.head = nn.Module()
        self.head.norm, self.head.fc = nn.LayerNorm(widths[-1], eps=1e-6), nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = self.stages(self.stem(x)).mean((2, 3))
        return self.head.fc(self.head.norm(x))
