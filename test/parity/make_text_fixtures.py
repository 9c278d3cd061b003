"""Makes the fixtures of text.test.ts: what Hugging Face's and PyTorch's networks compute in float64 on small random
configurations.

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
from torch import nn
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


class Attention(nn.Module):
    """The decoder of ours: attention to a memory in every step, Bahdanau's way or Luong's, around an LSTM or GRU cell."""

    def __init__(self, embedding, units, cell, style, score, feeding, bridge):
        super().__init__()
        fed = units if style == "bahdanau" or feeding else 0
        self.cell_of = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell](embedding + fed, units)
        for name, value in list(self.cell_of.named_parameters()):
            self.register_parameter(name, value)
        self.style, self.score, self.feeding, self.kind = style, score, feeding, cell
        if score == "additive":
            self.query, self.v = nn.Linear(units, units), nn.Parameter(torch.zeros(units))
        elif score == "general":
            self.query = nn.Linear(units, units, bias=False)
        if style == "luong":
            self.combine = nn.Linear(2 * units, units)
        if bridge:
            self.bridge_h = nn.Linear(units, units)
            if cell == "lstm":
                self.bridge_c = nn.Linear(units, units)

    def look(self, s, memory, keys, seen):
        if self.score == "additive":
            energies = torch.tanh(self.query(s).unsqueeze(1) + keys) @ self.v
        else:
            q = self.query(s) if self.score == "general" else s
            energies = (memory @ q.unsqueeze(2)).squeeze(2)
        weights = torch.softmax(energies.masked_fill(~seen, -torch.inf), 1)
        return (weights.unsqueeze(2) * memory).sum(1)

    def forward(self, x, memory, keys, seen, last):
        batch, time, _ = x.shape
        zeros = memory.new_zeros(batch, self.cell_of.hidden_size)
        bridges = [getattr(self, f"bridge_{name}", None) for name in "hc"]
        states = [torch.tanh(b(s.transpose(0, 1).flatten(1))) if b else zeros for b, s in zip(bridges, last)]
        fed, outputs = zeros, []
        step = lambda given: self.cell_of(given, tuple(states)) if self.kind == "lstm" else (self.cell_of(given, states[0]),)
        for t in range(time):
            if self.style == "bahdanau":
                context = self.look(states[0], memory, keys, seen)
                states = list(step(torch.cat([x[:, t], context], 1)))
                outputs.append(torch.cat([states[0], context], 1))
            else:
                states = list(step(torch.cat([x[:, t], fed], 1) if self.feeding else x[:, t]))
                context = self.look(states[0], memory, keys, seen)
                fed = torch.tanh(self.combine(torch.cat([context, states[0]], 1)))
                outputs.append(fed)
        return torch.stack(outputs, 1)


class Seq2Seq(nn.Module):
    def __init__(self, vocabulary, embedding, units, cell, style, score, feeding, readout, bridge):
        super().__init__()
        self.source_embedding, self.target_embedding = nn.Embedding(vocabulary, embedding), nn.Embedding(vocabulary, embedding)
        recurrent = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.encoder = recurrent(embedding, units // 2, batch_first=True, bidirectional=True)
        self.key = nn.Linear(units, units, bias=False) if score == "additive" else None
        self.decoder = Attention(embedding, units, cell, style, score, feeding, bridge)
        shown = 2 * units if style == "bahdanau" else units
        self.readout = nn.Linear(shown + embedding, embedding) if readout == "deep" else None
        self.output = nn.Linear(embedding if readout == "deep" else units, vocabulary)
        self.units = units

    def forward(self, source, lengths, target):
        pack, pad = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
        packed = pack(self.source_embedding(source), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.encoder(packed)
        memory, _ = pad(states, batch_first=True, total_length=source.shape[1])
        seen = torch.arange(source.shape[1]) < lengths.unsqueeze(1)
        keys = self.key(memory) if self.key else memory
        x = self.target_embedding(target)
        y = self.decoder(x, memory, keys, seen, last if isinstance(last, tuple) else (last,))
        if self.readout:
            return self.output(torch.tanh(self.readout(torch.cat([y, x], 2))))
        return self.output(y[:, :, : self.units])


def seq2seq(name, options, batch=3, source=5, time=4, vocabulary=11):
    defaults = {"embedding": 6, "units": 8, "cell": "lstm", "style": "bahdanau", "score": "additive"}
    defaults |= {"inputFeeding": True, "readout": "deep", "bridge": True}
    options = defaults | options
    net = Seq2Seq(vocabulary, *options.values()).double()
    parameters = {key: value for key, value in net.named_parameters() if ".cell_of." not in key}
    for key, value in parameters.items():
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())
    ids = torch.from_numpy(ids_of("source", batch, source, vocabulary).astype(np.int64))
    target = torch.from_numpy(ids_of("target", batch, time + 1, vocabulary).astype(np.int64))
    lengths = torch.tensor([source, 1, source - 2])
    labels = target[:, 1:].clone()
    labels[0, -1] = -1
    logits = net(ids, lengths, target[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1)
    loss.backward()
    fixture = {
        "model": "seq2seq",
        "options": {"sourceVocabulary": vocabulary, "targetVocabulary": vocabulary, **options},
        "seed": SEED,
        "batch": batch,
        "source": source,
        "lengths": lengths.tolist(),
        "time": time,
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
    seq2seq("seq2seq-bahdanau", {})
    seq2seq("seq2seq-peer", {"readout": "state", "bridge": False})
    seq2seq("seq2seq-gru", {"cell": "gru"})
    seq2seq("seq2seq-luong", {"style": "luong", "score": "general"})
    seq2seq("seq2seq-luong-dot", {"style": "luong", "score": "dot", "cell": "gru", "inputFeeding": False})


if __name__ == "__main__":
    sys.exit(main())
