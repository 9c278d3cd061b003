"""Makes the fixtures of text.test.ts: what Hugging Face's networks compute in float64 on small random configurations.

    ~/.cache/zoo-peer/bin/pip install transformers
    ~/.cache/zoo-peer/bin/python test/parity/make_text_fixtures.py

A fixture holds logits, loss, and of every gradient its norm and some entries; weights and ids come from the generator
that both languages have. `gpt2-hub.safetensors` is a network as the hub has it, names and all, for the import.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from make_fixtures import integers, stream, summary, value_of
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

FOLDER = Path(__file__).parent / "text-fixtures"
SEED = 7


def gpt2(vocabulary, context, dim, depth, heads):
    config = GPT2Config(
        vocab_size=vocabulary, n_positions=context, n_embd=dim, n_layer=depth, n_head=heads,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, attn_implementation="eager",
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def ids_of(name, batch, time, vocabulary):
    return integers(stream(SEED, "fixture", name), batch * time, vocabulary).reshape(batch, time)


def language_model(name, options, batch, time, smoothing):
    """Names are those of the network without its head: `transformer.h.0.ln_1.weight` is `h.0.ln_1.weight`."""
    net = gpt2(*(options[key] for key in ("vocabulary", "context", "dim", "depth", "heads"))).double().eval()
    parameters = {key.removeprefix("transformer."): value for key, value in net.named_parameters()}
    for key, value in parameters.items():
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())
    ids = torch.from_numpy(ids_of("ids", batch, time + 1, options["vocabulary"]).astype(np.int64))
    labels = ids[:, 1:].clone()
    labels[0, : time // 2] = -1  # does not count
    logits = net(input_ids=ids[:, :-1]).logits
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1, label_smoothing=smoothing)
    loss.backward()
    fixture = {
        "model": "gpt",
        "options": options,
        "seed": SEED,
        "batch": batch,
        "time": time,
        "labelSmoothing": smoothing,
        "logits": logits.detach().flatten().tolist(),
        "loss": loss.item(),
        "gradients": {key: summary(SEED, key, value.grad) for key, value in parameters.items()},
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(fixture) + "\n")


def hub_file():
    """A network as `save_pretrained` writes it, and its logits in float32's place in float64."""
    torch.manual_seed(0)
    net = gpt2(vocabulary=11, context=8, dim=8, depth=2, heads=2).eval()
    tensors = {key: value.contiguous() for key, value in net.state_dict().items() if key != "lm_head.weight"}
    # Files of the hub also have the mask of each block, which is no weight.
    tensors |= {f"transformer.h.{block}.attn.bias": torch.ones(1, 1, 8, 8).tril() for block in range(2)}
    save_file(tensors, FOLDER / "gpt2-hub.safetensors", metadata={"format": "pt"})
    ids = torch.from_numpy(ids_of("hub", 2, 8, 11).astype(np.int64))
    logits = net.double()(input_ids=ids).logits
    expected = {"ids": ids.flatten().tolist(), "logits": logits.detach().flatten().tolist()}
    (FOLDER / "gpt2-hub.json").write_text(json.dumps(expected) + "\n")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    small = {"vocabulary": 11, "context": 8, "dim": 8, "depth": 2, "heads": 2}
    language_model("gpt2-narrow", small, batch=3, time=6, smoothing=0.0)
    language_model("gpt2-smoothed", {**small, "heads": 4, "depth": 3}, batch=2, time=8, smoothing=0.1)
    hub_file()


if __name__ == "__main__":
    sys.exit(main())
