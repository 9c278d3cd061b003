"""A generator and a discriminator, as PyTorch's own example has them (pytorch/examples/dcgan), and a step of each."""

import torch
import torch.nn.functional as F
from torch import nn


def generator(sizes, base, out_channels, latent):
    """Transposed convolutions from `base` pixels on, each twice the size of the one before; sizes are channels."""
    layers, before = [], latent
    for level, width in enumerate(sizes):
        window = (base, 1, 0) if level == 0 else (4, 2, 1)
        layers += [nn.ConvTranspose2d(before, width, *window, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
        before = width
    return nn.Sequential(*layers, nn.ConvTranspose2d(before, out_channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(sizes, base, in_channels):
    layers, before = [], in_channels
    for level, width in enumerate(reversed(sizes)):
        layers.append(nn.Conv2d(before, width, 4, 2, 1, bias=False))
        layers += [nn.BatchNorm2d(width)] if level > 0 else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, 1, base, bias=False), nn.Flatten())


class Dcgan(nn.Module):
    """One update of the discriminator and one of the generator (Goodfellow et al. 2014, algorithm 1), each with fresh noise."""

    def __init__(self, sizes=(128, 64), base=7, channels=1, latent=100):
        super().__init__()
        self.latent = latent
        self.generator = generator(sizes, base, channels, latent).to(memory_format=torch.channels_last)
        self.discriminator = discriminator(sizes, base, channels).to(memory_format=torch.channels_last)
        adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.of_discriminator = torch.optim.Adam(self.discriminator.parameters(), **adam)
        self.of_generator = torch.optim.Adam(self.generator.parameters(), **adam)

    def noise(self, x):
        return torch.randn(len(x), self.latent, 1, 1)

    def step(self, x, bf16):
        loss = F.binary_cross_entropy_with_logits
        autocast = {"device_type": x.device.type, "dtype": torch.bfloat16, "enabled": bf16}
        x = x.to(memory_format=torch.channels_last)
        ones, zeros = torch.ones(len(x), 1), torch.zeros(len(x), 1)

        self.of_discriminator.zero_grad()
        with torch.autocast(**autocast):
            with torch.no_grad():
                fake = self.generator(self.noise(x))
            real_scores, fake_scores = self.discriminator(x), self.discriminator(fake)
        of_discriminator = loss(real_scores.float(), ones) + loss(fake_scores.float(), zeros)
        of_discriminator.backward()
        self.of_discriminator.step()

        self.of_generator.zero_grad()
        self.discriminator.requires_grad_(False)  # its weights are not moved here
        with torch.autocast(**autocast):
            scores = self.discriminator(self.generator(self.noise(x)))
        of_generator = loss(scores.float(), ones)
        of_generator.backward()
        self.of_generator.step()
        self.discriminator.requires_grad_(True)
        return (of_discriminator + of_generator).item() / 2
