"""Makes the fixtures of gan.test.ts: what a DCGAN in PyTorch computes in float64 on small configurations.

    ~/.cache/zoo-peer/bin/python test/parity/gan/make_gan_fixtures.py

A fixture holds the loss of either network on one batch, and of every gradient its norm and some entries; weights, images and
noise come from the generator that both languages have. The networks are those of pytorch/examples/dcgan, in small.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import full_sizes_asked, normal, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
SEED = 13
BATCH = 3


DIGITS = {"imageShape": [28, 28, 1], "latent": 100, "channels": 64}
# The networks of the zoo at full size, and the loss that each is trained with, for `npm run parity`.
FULL = {
    "dcgan": ({"imageShape": [64, 64, 3], "latent": 100, "channels": 64, "norm": "batch"}, "non-saturating"),
    "dcgan-mnist": ({**DIGITS, "norm": "batch"}, "non-saturating"),
    "wgan-mnist": ({**DIGITS, "norm": "none"}, "wasserstein", 10.0),
    "sngan-mnist": ({**DIGITS, "norm": "spectral"}, "hinge"),
}


class Generator(nn.Module):
    def __init__(self, base, widths, out_channels, latent, classes):
        super().__init__()
        if classes:
            self.label_emb = nn.Embedding(classes, latent)
        layers = []
        before = latent * (2 if classes else 1)
        for level, width in enumerate(widths):
            window = (base, 1, 0) if level == 0 else (4, 2, 1)
            grow = nn.ConvTranspose2d(before, width, *window, bias=False)
            layers += [grow, nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(before, out_channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z, y):
        given = torch.cat([z, self.label_emb(y)], 1) if hasattr(self, "label_emb") else z
        return self.main(given[:, :, None, None])


class Discriminator(nn.Module):
    def __init__(self, base, widths, in_channels, norm, classes):
        super().__init__()
        layers = []
        before = in_channels
        for level, width in enumerate(reversed(widths)):
            layers.append(nn.Conv2d(before, width, 4, 2, 1, bias=norm != "batch"))
            if norm == "batch" and level > 0:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2))
            before = width
        self.main = nn.Sequential(*layers, nn.Conv2d(before, 1, base, bias=norm != "batch"))
        if classes:
            self.label_emb = nn.Embedding(classes, before)
        if norm == "spectral":
            for layer in self.modules():
                if hasattr(layer, "weight"):
                    spectral_norm(layer)

    def forward(self, x, y):
        features = self.main[:-1](x)
        score = self.main[-1](features).flatten(1)
        if not hasattr(self, "label_emb"):
            return score
        return score + (self.label_emb(y) * features.mean((2, 3))).sum(1, keepdim=True)


def losses(name):
    bce = F.binary_cross_entropy_with_logits

    def tells_apart(real, fake):
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    return {
        "original": (tells_apart, lambda fake: -bce(fake, torch.zeros_like(fake))),
        "non-saturating": (tells_apart, lambda fake: bce(fake, torch.ones_like(fake))),
        "hinge": (lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(), lambda fake: -fake.mean()),
        "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
    }[name]


def tensor_of(what, shape):
    return torch.from_numpy(normal(stream(SEED, "fixture", what), shape)).double()


def fill(net):
    vectors = [(key, value) for key, value in net.named_buffers() if key.endswith(("weight_u", "weight_v"))]
    for key, value in [*net.named_parameters(), *vectors]:
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())


def levels_of(height, width, channels):
    """Halves images while they stay whole and 4 pixels or more."""
    widths = []
    while height % 2 == 0 and width % 2 == 0 and min(height, width) >= 8:
        height, width = height // 2, width // 2
        widths.insert(0, channels * 2 ** len(widths))
    return [height, width], widths


def make(name, options, loss, penalty=0.0, folder=FOLDER):
    height, width, channels = options["imageShape"]
    base, widths = levels_of(height, width, options["channels"])
    classes = options.get("classes")
    g = Generator(base, widths, channels, options["latent"], classes).double()
    d = Discriminator(base, widths, channels, options["norm"], classes).double()
    fill(g), fill(d)
    z = tensor_of("z", (BATCH, options["latent"]))
    real = torch.tanh(tensor_of("images", (BATCH, height, width, channels))).float().double().permute(0, 3, 1, 2)
    share = torch.sigmoid(tensor_of("share", (BATCH, 1, 1, 1))).float().double()
    y = torch.arange(BATCH) % classes if classes else None
    fake_y = (torch.arange(BATCH) + 1) % classes if classes else None
    of_discriminator, of_generator = losses(loss)

    fake = g(z, fake_y).detach()
    d_loss = of_discriminator(d(real, y), d(fake, fake_y))
    if penalty:
        between = (fake + share * (real - fake)).requires_grad_()
        (slope,) = torch.autograd.grad(d(between, y).sum(), between, create_graph=True)
        d_loss = d_loss + penalty * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    d_gradients = torch.autograd.grad(d_loss, list(d.parameters()))
    g_loss = of_generator(d(g(z, fake_y), fake_y))
    g_gradients = torch.autograd.grad(g_loss, list(g.parameters()))

    def summaries(net, gradients):
        return {key: summary(SEED, key, value) for (key, _), value in zip(net.named_parameters(), gradients)}

    fixture = {
        "options": options, "seed": SEED, "batch": BATCH, "loss": loss, "penalty": penalty,
        "discriminator": {"loss": d_loss.item(), "gradients": summaries(d, d_gradients)},
        "generator": {"loss": g_loss.item(), "gradients": summaries(g, g_gradients)},
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(fixture) + "\n")


def main():
    asked = full_sizes_asked(FULL)
    if asked:
        for name in asked.names:
            make(name, *FULL[name], folder=asked.out)
        return
    FOLDER.mkdir(exist_ok=True)
    small = {"imageShape": [16, 16, 2], "latent": 4, "channels": 3, "norm": "batch"}
    make("original", small, "original")
    make("non-saturating-classes", {**small, "classes": 3}, "non-saturating")
    make("hinge-oblong", {**small, "imageShape": [16, 20, 1]}, "hinge")
    make("hinge-spectral", {**small, "norm": "spectral", "classes": 3}, "hinge")
    make("wasserstein-penalty", {**small, "norm": "none"}, "wasserstein", penalty=10.0)
    make("wasserstein-penalty-classes", {**small, "norm": "none", "classes": 2}, "wasserstein", penalty=10.0)


if __name__ == "__main__":
    main()
