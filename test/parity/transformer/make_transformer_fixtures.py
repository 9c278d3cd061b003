"""Makes the fixtures of transformer.test.ts: what PyTorch's nn.Transformer computes in float64.

    venv/bin/python test/parity/transformer/make_transformer_fixtures.py

A fixture holds logits, loss, and of every gradient its norm and some entries; weights, ids and lengths come from the
generator that both languages have. As in make_fixtures.py a fixture's seed is the first that keeps away from the kinks of
ReLU.
"""

import json
import math
import sys
from itertools import count
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import MARGIN, error_of, integers, margins, relu, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
BATCH, SOURCE, TARGET = 3, 6, 5
LENGTHS = [6, 3, 1]


def waves(tokens, d, dtype):
    """Vaswani et al. 2017, sec. 3.5."""
    place = torch.arange(tokens, dtype=dtype)[:, None]
    rate = torch.exp(torch.arange(0, d, 2, dtype=dtype) * (-math.log(10000.0) / d))
    table = torch.zeros(tokens, d, dtype=dtype)
    table[:, 0::2], table[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
    return table


class Translation(nn.Transformer):
    def __init__(self, source, target, tied, **options):
        super().__init__(batch_first=True, dropout=0.0, activation=relu, **options)
        if tied:
            self.embedding = nn.Embedding(source, self.d_model)
        else:
            self.source_embedding = nn.Embedding(source, self.d_model)
            self.target_embedding = nn.Embedding(target, self.d_model)
            self.output = nn.Linear(self.d_model, target)
        self.tied = tied

    def embedded(self, table, ids):
        x = table(ids) * math.sqrt(self.d_model)
        return x + waves(ids.shape[1], self.d_model, x.dtype)

    def forward(self, source, lengths, target):
        padding = torch.arange(source.shape[1])[None] >= lengths[:, None]
        later = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        tables = (self.embedding,) * 2 if self.tied else (self.source_embedding, self.target_embedding)
        x, y = self.embedded(tables[0], source), self.embedded(tables[1], target)
        masks = {"tgt_mask": later, "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
        decoded = super().forward(x, y, **masks)
        return decoded @ self.embedding.weight.T if self.tied else self.output(decoded)


def ids_of(seed, name, tokens, vocabulary):
    return torch.from_numpy(integers(stream(seed, "fixture", name), BATCH * tokens, vocabulary)).view(BATCH, tokens)


def run(options, seed, dtype):
    source, target = options["sourceVocabulary"], options["targetVocabulary"]
    net = Translation(
        source,
        target,
        options["tied"],
        d_model=options["units"],
        nhead=options["heads"],
        num_encoder_layers=options["encoderLayers"],
        num_decoder_layers=options["decoderLayers"],
        dim_feedforward=options["hidden"],
        norm_first=options["norm"] == "pre",
    ).to(dtype)
    parameters = dict(net.named_parameters())
    for name, parameter in parameters.items():
        parameter.data.copy_(torch.from_numpy(value_of(seed, name, tuple(parameter.shape))).to(dtype))
    ids = ids_of(seed, "target", TARGET + 1, target)
    logits = net(ids_of(seed, "source", SOURCE, source), torch.tensor(LENGTHS), ids[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    return {
        "logits": logits.detach().double().flatten().tolist(),
        "loss": loss.item(),
        "gradients": {name: summary(seed, name, parameter.grad) for name, parameter in parameters.items()},
    }


def make(options):
    for seed in count(1):
        margins.clear()
        exact = run(options, seed, torch.float64)
        if min(margins) >= MARGIN:
            break
    single = run(options, seed, torch.float32)
    return {
        "madeBy": f"make_transformer_fixtures.py, PyTorch {torch.__version__.split('+')[0]} in float64",
        "options": options,
        "seed": seed,
        "batch": BATCH,
        "source": SOURCE,
        "target": TARGET,
        "lengths": LENGTHS,
        "float32": {"gradients": error_of(single["gradients"], exact["gradients"])},
        **exact,
    }


FIXTURES = {
    "post": {"sourceVocabulary": 11, "targetVocabulary": 7, "encoderLayers": 2, "decoderLayers": 2, "norm": "post", "tied": False},
    "pre": {"sourceVocabulary": 11, "targetVocabulary": 7, "encoderLayers": 1, "decoderLayers": 2, "norm": "pre", "tied": False},
    "tied": {"sourceVocabulary": 9, "targetVocabulary": 9, "encoderLayers": 2, "decoderLayers": 1, "norm": "post", "tied": True},
}  # fmt: skip

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, options in FIXTURES.items():
        made = make({**options, "units": 8, "heads": 2, "hidden": 12})
        (FOLDER / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")
        print(name, "seed", made["seed"], "loss", made["loss"], made["float32"])
