"""Makes the fixtures of vae.test.ts: what a variational autoencoder in PyTorch computes in float64 on small configurations.

    ~/.cache/zoo-peer/bin/python test/parity/vae/make_vae_fixtures.py

A fixture holds the loss of one batch, and of every gradient its norm and some entries; weights, images and noise come from the
generator that both languages have. The losses are PyTorch's own: distributions and their divergence where there are such.
"""

import json
import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import full_sizes_asked, normal, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
SEED = 11
BATCH = 3


class Vae(nn.Module):
    def __init__(self, pixels, hidden, latent, activation, likelihood):
        super().__init__()
        active = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]

        def stack(widths):
            layers = []
            for before, after in zip(widths, widths[1:]):
                layers += [nn.Linear(before, after), active()]
            return layers

        self.encoder = nn.Sequential(*stack([pixels, *hidden]))
        self.fc_mu, self.fc_var = nn.Linear(hidden[-1], latent), nn.Linear(hidden[-1], latent)
        self.decoder = nn.Sequential(*stack([latent, *hidden[::-1]]), nn.Linear(hidden[0], pixels))
        if likelihood == "gaussian":
            self.likelihood = nn.Module()
            self.likelihood.log_variance = nn.Parameter(torch.zeros(1))

    def posterior(self, x):
        h = self.encoder(x)
        return Normal(self.fc_mu(h), torch.exp(0.5 * self.fc_var(h)))

    def draw(self, z):
        """[..., pixels]"""
        return self.decoder(z)

    def log_likelihood(self, z, x):
        """[...]"""
        drawn = self.draw(z)
        if hasattr(self, "likelihood"):
            each = Normal(drawn, torch.exp(0.5 * self.likelihood.log_variance))
        else:
            each = Bernoulli(logits=drawn, validate_args=False)  # grey pixels
        return Independent(each, 1, validate_args=False).log_prob(x)


class ConvVae(Vae):
    """Convolutions that halve an image of one channel, and transposed ones that double it; dense layers beside z."""

    def __init__(self, height, width, channels, units, latent, likelihood):
        nn.Module.__init__(self)
        down, before = [], 1
        for filters in channels:
            down += [nn.Conv2d(before, filters, 4, 2, 1), nn.ReLU()]
            before = filters
        small = (before, height >> len(channels), width >> len(channels))
        self.encoder = nn.Sequential(*down)
        features, begun = math.prod(small), latent
        if units:
            self.encoder_dense = nn.Sequential(nn.Linear(features, units), nn.ReLU())
            self.decoder_dense = nn.Sequential(nn.Linear(latent, units), nn.ReLU())
            features, begun = units, units
        self.fc_mu, self.fc_var = (nn.Linear(features, latent) for _ in range(2))
        up = [nn.Linear(begun, math.prod(small)), nn.ReLU(), nn.Unflatten(1, small)]
        for filters in [*channels[-2::-1], 1]:
            up += [nn.ConvTranspose2d(before, filters, 4, 2, 1), nn.ReLU()]
            before = filters
        self.size = (height, width)
        self.decoder = nn.Sequential(*up[:-1])
        if likelihood == "gaussian":
            self.likelihood = nn.Module()
            self.likelihood.log_variance = nn.Parameter(torch.zeros(1))

    def posterior(self, x):
        h = self.encoder(x.view(len(x), 1, *self.size)).flatten(1)
        h = self.encoder_dense(h) if hasattr(self, "encoder_dense") else h
        return Normal(self.fc_mu(h), torch.exp(0.5 * self.fc_var(h)))

    def draw(self, z):
        z = self.decoder_dense(z) if hasattr(self, "decoder_dense") else z
        return self.decoder(z.flatten(0, -2)).flatten(1).view(*z.shape[:-1], -1)


MLP = {"inputShape": [28, 28, 1], "likelihood": "bernoulli"}
# The networks of the zoo at full size, for `npm run parity`.
FULL = {
    "vae": {**MLP, "hidden": [400], "latent": 20, "activation": "relu"},
    "vae-2x200": {**MLP, "hidden": [200, 200], "latent": 50, "activation": "tanh"},
    "vae-conv": {**MLP, "channels": [32, 64], "units": 256, "latent": 32},
}


def tensor_of(what, shape):
    return torch.from_numpy(normal(stream(SEED, "fixture", what), shape)).double()


def make(name, options, draws=1, kl_weight=1.0, folder=FOLDER):
    height, width, channels = options["inputShape"]
    # Pixels in the order in which our images have them; with one channel it is PyTorch's too.
    assert channels == 1
    if "channels" in options:
        net = ConvVae(height, width, *(options[key] for key in ("channels", "units", "latent", "likelihood"))).double()
    else:
        net = Vae(height * width, options["hidden"], options["latent"], options["activation"], options["likelihood"]).double()
    for key, value in net.named_parameters():
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())
    x = torch.sigmoid(tensor_of("images", (BATCH, height * width)).float()).double()
    noise = tensor_of("noise", (BATCH, draws, options["latent"]))
    q = net.posterior(x)
    prior = Normal(torch.zeros_like(q.mean), torch.ones_like(q.mean))
    z = q.mean[:, None] + q.stddev[:, None] * noise  # [batch, draws, d]
    log_p = net.log_likelihood(z, x[:, None].expand(-1, draws, -1))  # [batch, draws]
    if draws == 1:
        loss = (-log_p[:, 0] + kl_weight * kl_divergence(q, prior).sum(-1)).mean()
    else:
        at = z.transpose(0, 1)  # [draws, batch, d]
        ratio = (prior.log_prob(at) - q.log_prob(at)).sum(-1).T  # [batch, draws]
        loss = -(torch.logsumexp(log_p + ratio, 1) - math.log(draws)).mean()
    loss.backward()
    fixture = {
        "options": options, "seed": SEED, "batch": BATCH, "draws": draws, "klWeight": kl_weight, "loss": loss.item(),
        "gradients": {key: summary(SEED, key, value.grad) for key, value in net.named_parameters()},
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(fixture) + "\n")


def main():
    asked = full_sizes_asked(FULL)
    if asked:
        for name in asked.names:
            make(name, FULL[name], folder=asked.out)
        return
    FOLDER.mkdir(exist_ok=True)
    small = {"inputShape": [4, 3, 1], "hidden": [6], "latent": 3, "activation": "relu", "likelihood": "bernoulli"}
    make("bernoulli", small)
    make("beta", {**small, "hidden": [7, 5]}, kl_weight=0.25)
    make("gaussian", {**small, "likelihood": "gaussian", "activation": "tanh"})
    make("importance", {**small, "hidden": [5, 4], "activation": "tanh"}, draws=4)
    make("importance-gaussian", {**small, "likelihood": "gaussian"}, draws=2)
    convolutional = {"inputShape": [8, 12, 1], "channels": [3, 2], "units": 5, "latent": 3, "likelihood": "bernoulli"}
    make("convolutional", convolutional)
    make("convolutional-importance", {**convolutional, "channels": [2], "units": 0, "likelihood": "gaussian"}, draws=3)


if __name__ == "__main__":
    main()
