"""Peer of `zoo bench train NAME --peer torch`: whole training steps of the same network in PyTorch.

Install PyTorch once, outside the project:
    python3 -m venv ~/.cache/zoo-peer && ~/.cache/zoo-peer/bin/pip install --retries 0 torch==2.13.0 numpy
Run by hand:
    echo 10 | ~/.cache/zoo-peer/bin/python torch_train.py --model resnet20 --batch 128 --precision f32 --threads 2

It speaks the protocol of training/src/bench/contestant.ts: prints {"ready": ...}, then for each line "N" on standard
input takes N training steps (forward, loss, backward, SGD with momentum 0.9 and weight decay 1e-4, for text AdamW, for
images out of noise Adam, loss read back) on a fixed batch of noise (with --task infer: outputs in evaluation mode, read
back) and prints {"step_ms": [N times]}. {"error": "..."} in one line ends it.

On a graphics card (--device gpu) f32 is f32, as it is in WebGPU: without TF32. What is read back waits for the card.
"""

import argparse
import json
import math
import sys
import time


def say(**line):
    print(json.dumps(line), flush=True)


try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    from airbench import Airbench  # beside this file
    from gan import Dcgan
    from generative import Vae
    from patches import ConvNext, Mixer, Vit
    from sequences import Gpt, Seq2Seq, TransformerNmt
    from unet import Ddpm
except ImportError as error:
    say(error=f"this Python has no PyTorch ({error}): pip install --retries 0 torch==2.13.0 numpy")
    sys.exit(1)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut of option A (He et al. 2016, sec. 3.3 and 4.2)."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.new_channels = stride, channels - channels_in

    def forward(self, x):
        residual = F.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        if self.new_channels:  # every s-th pixel, zeros for the new channels on both sides
            before = self.new_channels // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.new_channels - before))
        return F.relu(residual + x)


class ResNetCifar(nn.Module):
    """3 stages of n blocks with 16, 32 and 64 channels: 6n + 2 layers with weights."""

    def __init__(self, n):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        blocks, channels_in = [], 16
        for stage, channels in enumerate((16, 32, 64)):
            for block in range(n):
                blocks.append(BasicBlock(channels_in, channels, 2 if stage > 0 and block == 0 else 1))
                channels_in = channels
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def vgg_bn(depths):
    layers, channels = [], 3
    for depth, width in zip(depths, (64, 128, 256, 512, 512)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


class DenseLayer(nn.Module):
    """x -> [x, H(x)] (Huang et al. 2017, eq. 2)."""

    def __init__(self, channels, growth):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(channels), nn.Conv2d(channels, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


def densenet(depth, growth):
    layers, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)], 16
    for block in range(3):
        for _ in range((depth - 4) // 3):
            layers.append(DenseLayer(channels, growth))
            channels += growth
        layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        if block < 2:
            layers += [nn.Conv2d(channels, channels, 1, bias=False), nn.AvgPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


# name -> builder and input [channels, height, width]
MODELS = {f"resnet{6 * n + 2}": (lambda n=n: ResNetCifar(n), (3, 32, 32)) for n in (3, 5, 7, 9, 18)}
for name, depths in {"11": (1, 1, 2, 2, 2), "13": (2, 2, 2, 2, 2), "16": (2, 2, 3, 3, 3), "19": (2, 2, 4, 4, 4)}.items():
    MODELS[f"vgg{name}-bn-cifar"] = (lambda depths=depths: vgg_bn(depths), (3, 32, 32))
MODELS["airbench94"] = (Airbench, (3, 32, 32))
MODELS["densenet40"] = (lambda: densenet(40, 12), (3, 32, 32))
MODELS["vit-tiny-cifar"] = (lambda: Vit(4, 192, 12, 3, tokens=64), (3, 32, 32))
MODELS["mixer-cifar"] = (lambda: Mixer(4, 256, 8, 128, 1024, tokens=64), (3, 32, 32))
MODELS["convnext-atto-cifar"] = (lambda: ConvNext((2, 2, 6, 2), (40, 80, 160, 320), 2), (3, 32, 32))
MODELS["lenet5"] = (lenet5, (1, 28, 28))

# name -> builder, tokens that there are, tokens of a text, and its optimizer
LANGUAGE_MODELS = {"gpt": (Gpt, 65, 128, torch.optim.AdamW)}
TRANSLATORS = {
    "seq2seq": (Seq2Seq, 8000, 20, torch.optim.Adam),
    "transformer": (TransformerNmt, 8000, 20, torch.optim.Adam),
}
TEXT = LANGUAGE_MODELS | TRANSLATORS
# name -> builder, and input [channels, height, width]; a network says its own loss, or takes its own steps
GENERATIVE = {
    "vae": (Vae, (1, 28, 28)),
    "dcgan": (lambda: Dcgan(sizes=(512, 256, 128, 64), base=4, channels=3), (3, 64, 64)),
    "dcgan-mnist": (Dcgan, (1, 28, 28)),
    "ddpm": (Ddpm, (1, 28, 28)),
}


def device_named(name):
    """"cpu", or as "gpu" what PyTorch sees of a graphics card."""
    if name == "cpu":
        return torch.device("cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    say(error="this PyTorch sees no graphics card, and ours runs on one: install its build for that card (--python)")
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", choices=("train", "infer"), default="train")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    a = parser.parse_args()
    known = MODELS | TEXT | GENERATIVE
    if a.model not in known:
        say(error=f'no PyTorch peer for "{a.model}" (there are {", ".join(known)})')
        sys.exit(1)

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    device = device_named(a.device)
    torch.set_default_device(device)
    items = {}
    if a.model in TEXT:
        build, vocabulary, context, optimizer_of = TEXT[a.model]
        model = build()
        texts = 2 if a.model in TRANSLATORS else 1  # what is read, and what is written
        inputs = [torch.randint(vocabulary, (a.batch, context)) for _ in range(texts)]
        labels = torch.randint(vocabulary, (a.batch * context,))
        items = {"items": a.batch * context}
    elif a.model in GENERATIVE:
        build, shape = GENERATIVE[a.model]
        model = build()
        inputs = [torch.rand(a.batch, *shape)]  # [batch, channels, height, width]
    else:
        build, shape = MODELS[a.model]
        model = build().to(memory_format=torch.channels_last)
        inputs = [torch.randn(a.batch, *shape).to(memory_format=torch.channels_last)]  # [batch, channels, height, width]
        labels = torch.arange(a.batch) % 10  # [batch]
    # Weights decay, norms and biases (all of rank 1) don't: as in our trainer.
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 1e-4},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0},
    ]
    if a.model in GENERATIVE:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    elif a.model in TEXT:
        optimizer = optimizer_of(model.parameters() if a.model in TRANSLATORS else groups, lr=1e-3)
    else:
        optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)

    def train():
        if hasattr(model, "step"):
            return model.step(*inputs, a.precision == "bf16")
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=a.precision == "bf16"):
            outputs = model(*inputs)  # logits [batch, classes] or [batch, time, vocabulary]
        if a.model in GENERATIVE:
            loss = model.loss(outputs, *inputs)
        else:
            loss = F.cross_entropy(outputs.float().flatten(0, -2), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def infer():
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=a.precision == "bf16"):
            return model(*inputs).float().flatten()[0].item()

    step = train if a.task == "train" else infer
    model.train(a.task == "train")
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    versions = {"torch": torch.__version__, "python": sys.version.split()[0]}
    if device.type == "cuda":
        versions["on"] = torch.cuda.get_device_name()
    say(ready={"params": params, "batch": a.batch, **items, "threads": torch.get_num_threads(), "versions": versions})
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            loss = step()
            times.append((time.perf_counter() - start) * 1e3)
            if not math.isfinite(loss):
                say(error=f"the loss became {loss}")
                sys.exit(1)
        say(step_ms=times)


if __name__ == "__main__":
    main()
