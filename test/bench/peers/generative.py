"""Networks that make images, as PyTorch writes them; each says its own loss."""

import torch
import torch.nn.functional as F
from torch import nn


class Vae(nn.Module):
    """784-400-20 (Kingma & Welling 2014), as PyTorch's own example has it."""

    def __init__(self, pixels=784, hidden=400, latent=20):
        super().__init__()
        self.encoder = nn.Linear(pixels, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder, self.out = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)

    def forward(self, x):
        h = F.relu(self.encoder(x.flatten(1)))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.out(F.relu(self.decoder(z))), mean, log_variance

    def loss(self, outputs, x):
        """-ELBO, mean over the batch."""
        logits, mean, log_variance = (output.float() for output in outputs)
        drawn = F.binary_cross_entropy_with_logits(logits, x.flatten(1), reduction="sum")
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        return (drawn + kl) / len(x)
