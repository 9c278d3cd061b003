"""Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU": the network of airbench94, in its listing's names."""

import torch.nn as nn
import torch.nn.functional as F


class ConvGroup(nn.Module):
    """Two 3x3 convolutions; their batch norms have no scale."""

    def __init__(self, channels_in, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
        self.norm1.weight.requires_grad = self.norm2.weight.requires_grad = False

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class Airbench(nn.Sequential):
    """[batch, 3, 32, 32] -> logits [batch, 10]"""

    def __init__(self, widths=(64, 256, 256)):
        a, b, c = widths
        groups = ConvGroup(24, a), ConvGroup(a, b), ConvGroup(b, c)
        last = nn.Linear(c, 10, bias=False)
        super().__init__(nn.Conv2d(3, 24, 2), nn.GELU(), *groups, nn.MaxPool2d(3), nn.Flatten(), last)

    def forward(self, x):
        return super().forward(x) / 9
