"""Inception v3 with torchvision's names, without dropout, for make_fixtures.py and inception/make_inception_fixtures.py.

`fid` is the network of 2015 that FID is measured on: averages leave out padding, the last block pools by the maximum.
`width` is the channels of the first convolution, 32 in the paper; `relu` may be one that watches what it is given.
"""

import torch
import torch.nn.functional as F
from torch import nn


class BasicConv2d(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, relu=F.relu):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)
        self.relu = relu

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


FLAT3, UPRIGHT3 = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))
FLAT7, UPRIGHT7 = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
ONE, SAME3, HALF3 = (1,), (3, 1, 1), (3, 2)

# Branches of each block: convolutions one after the other, (name, channels, (kernel, stride, padding)).
BLOCKS = {
    "A": [
        [("branch1x1", 64, ONE)],
        [("branch5x5_1", 48, ONE), ("branch5x5_2", 64, (5, 1, 2))],
        [("branch3x3dbl_1", 64, ONE), ("branch3x3dbl_2", 96, SAME3), ("branch3x3dbl_3", 96, SAME3)],
    ],
    "B": [
        [("branch3x3", 384, HALF3)],
        [("branch3x3dbl_1", 64, ONE), ("branch3x3dbl_2", 96, SAME3), ("branch3x3dbl_3", 96, HALF3)],
    ],
    "C": [
        [("branch1x1", 192, ONE)],
        [("branch7x7_1", None, ONE), ("branch7x7_2", None, FLAT7), ("branch7x7_3", 192, UPRIGHT7)],
        [
            ("branch7x7dbl_1", None, ONE),
            ("branch7x7dbl_2", None, UPRIGHT7),
            ("branch7x7dbl_3", None, FLAT7),
            ("branch7x7dbl_4", None, UPRIGHT7),
            ("branch7x7dbl_5", 192, FLAT7),
        ],
    ],
    "D": [
        [("branch3x3_1", 192, ONE), ("branch3x3_2", 320, HALF3)],
        [
            ("branch7x7x3_1", 192, ONE),
            ("branch7x7x3_2", 192, FLAT7),
            ("branch7x7x3_3", 192, UPRIGHT7),
            ("branch7x7x3_4", 192, HALF3),
        ],
    ],
    # A list within is of branches side by side.
    "E": [
        [("branch1x1", 320, ONE)],
        [("branch3x3_1", 384, ONE), [("branch3x3_2a", 384, FLAT3), ("branch3x3_2b", 384, UPRIGHT3)]],
        [
            ("branch3x3dbl_1", 448, ONE),
            ("branch3x3dbl_2", 384, SAME3),
            [("branch3x3dbl_3a", 384, FLAT3), ("branch3x3dbl_3b", 384, UPRIGHT3)],
        ],
    ],
}


class Block(nn.Module):
    """`pool`: "avg" or "avg without padding" or "max" before a 1×1 convolution of so many channels, or "halve"."""

    def __init__(self, kind, inputs, channels, pool, pool_channels, scale, relu):
        super().__init__()
        self.branches, self.pool, self.outputs = BLOCKS[kind], pool, 0
        for branch in self.branches:
            before = inputs
            for step in branch:
                parts = step if isinstance(step, list) else [step]
                for name, width, window in parts:
                    conv = BasicConv2d(before, scale(width or channels), *window, relu=relu)
                    setattr(self, name, conv)
                before = sum(scale(width or channels) for _, width, _ in parts)
            self.outputs += before
        if pool == "halve":
            self.outputs += inputs
        else:
            self.branch_pool = BasicConv2d(inputs, scale(pool_channels), 1, relu=relu)
            self.outputs += scale(pool_channels)

    def forward(self, x):
        outputs = []
        for branch in self.branches:
            y = x
            for step in branch:
                parts = step if isinstance(step, list) else [step]
                y = torch.cat([getattr(self, name)(y) for name, _, _ in parts], 1)
            outputs.append(y)
        if self.pool == "halve":
            return torch.cat([*outputs, F.max_pool2d(x, 3, 2)], 1)
        if self.pool == "max":
            pooled = F.max_pool2d(x, 3, 1, 1)
        else:
            pooled = F.avg_pool2d(x, 3, 1, 1, count_include_pad=self.pool == "avg")
        return torch.cat([*outputs, self.branch_pool(pooled)], 1)


class Auxiliary(nn.Module):
    def __init__(self, inputs, classes, scale, relu):
        super().__init__()
        self.conv0 = BasicConv2d(inputs, scale(128), 1, relu=relu)
        self.conv1 = BasicConv2d(scale(128), scale(768), 5, relu=relu)
        self.fc = nn.Linear(scale(768), classes)

    def forward(self, x):
        return self.fc(self.conv1(self.conv0(F.avg_pool2d(x, 5, 3))).mean((2, 3)))


class Inception(nn.Module):
    def __init__(self, width=32, classes=10, fid=False, auxiliary=False, relu=F.relu):
        super().__init__()

        def scale(channels):
            return channels * width // 32

        def conv(inputs, outputs, *window):
            return BasicConv2d(scale(inputs), scale(outputs), *window, relu=relu)

        self.Conv2d_1a_3x3 = BasicConv2d(3, width, *HALF3, relu=relu)
        self.Conv2d_2a_3x3, self.Conv2d_2b_3x3 = conv(32, 32, 3), conv(32, 64, *SAME3)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = conv(64, 80, 1), conv(80, 192, 3)
        average, channels = "avg without padding" if fid else "avg", scale(192)
        self.blocks = []
        for name, kind, own, pool, pool_channels in [
            ("Mixed_5b", "A", 0, average, 32),
            ("Mixed_5c", "A", 0, average, 64),
            ("Mixed_5d", "A", 0, average, 64),
            ("Mixed_6a", "B", 0, "halve", 0),
            ("Mixed_6b", "C", 128, average, 192),
            ("Mixed_6c", "C", 160, average, 192),
            ("Mixed_6d", "C", 160, average, 192),
            ("Mixed_6e", "C", 192, average, 192),
            ("Mixed_7a", "D", 0, "halve", 0),
            ("Mixed_7b", "E", 0, average, 192),
            ("Mixed_7c", "E", 0, "max" if fid else average, 192),
        ]:
            block = Block(kind, channels, own, pool, pool_channels, scale, relu)
            setattr(self, name, block)
            self.blocks.append(name)
            channels = block.outputs
        self.AuxLogits = Auxiliary(scale(768), classes, scale, relu) if auxiliary else None
        self.fc = nn.Linear(channels, classes)

    def features(self, x):
        """What `fc` reads, and the auxiliary logits, None without that classifier."""
        x, auxiliary = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), None
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name in self.blocks:
            x = getattr(self, name)(x)
            if name == "Mixed_6e" and self.AuxLogits is not None:
                auxiliary = self.AuxLogits(x)
        return x.mean((2, 3)), auxiliary

    def forward(self, x):
        features, auxiliary = self.features(x)
        logits = self.fc(features)
        return logits if auxiliary is None else (logits, auxiliary)
