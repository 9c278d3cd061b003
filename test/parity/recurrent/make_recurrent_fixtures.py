"""Makes fixtures/cells.json: what PyTorch's nn.RNN, nn.LSTM and nn.GRU compute in float64.

    python -m venv venv && venv/bin/pip install torch==2.13.0 numpy
    venv/bin/python test/parity/recurrent/make_recurrent_fixtures.py

Weights, inputs and initial states come from the zoo's own generator, so the file holds results only: outputs, last
states, and the gradients of Σ r y over all of them (r from the generator too), whole, with the names of the weights in
PyTorch's order. Sequences of several lengths go through pack_padded_sequence(…, enforce_sorted=False).
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import normal, stream  # noqa: E402

BATCH, TIME, IN, UNITS = 3, 5, 3, 4
LENGTHS = [2, 5, 3]


def cases():
    for kind in ("RNN", "LSTM", "GRU"):
        for layers, bidirectional, lengths, states in (
            (1, False, None, False),
            (2, False, LENGTHS, True),
            (1, True, LENGTHS, True),
            (2, True, None, True),
        ):
            options = {"numLayers": layers, "bidirectional": bidirectional}
            yield {"kind": kind, "options": options, "lengths": lengths, "states": states}
    yield {"kind": "LSTM", "options": {"useBias": False}, "lengths": LENGTHS, "states": False}
    yield {"kind": "RNN", "options": {"activation": "relu"}, "lengths": LENGTHS, "states": True}


def values(case, name, shape):
    """Of the stream at (“recurrent”, case, name), as recurrent.test.ts draws them."""
    return torch.from_numpy(normal(stream("recurrent", case, name), shape)).float().double()


def rounded(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def run(index, spec):
    kind, options = spec["kind"], spec["options"]
    more = {"nonlinearity": options["activation"]} if "activation" in options else {}
    net = getattr(nn, kind)(
        IN,
        UNITS,
        num_layers=options.get("numLayers", 1),
        bidirectional=options.get("bidirectional", False),
        bias=options.get("useBias", True),
        batch_first=True,
        dtype=torch.float64,
        **more,
    )
    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(0.5 * values(index, name, tuple(weight.shape)))
    inputs = {"x": values(index, "x", (BATCH, TIME, IN)).requires_grad_()}
    directions = net.num_layers * (2 if net.bidirectional else 1)
    if spec["states"]:
        # [batch, layers · directions, units], as the zoo's layers have it; PyTorch wants the batch second.
        for name in ("h0", "c0") if kind == "LSTM" else ("h0",):
            inputs[name] = values(index, name, (BATCH, directions, UNITS)).requires_grad_()
    states = [inputs[name].transpose(0, 1).contiguous() for name in ("h0", "c0") if name in inputs]
    x = inputs["x"]
    if spec["lengths"]:
        x = pack_padded_sequence(x, spec["lengths"], batch_first=True, enforce_sorted=False)
    first = () if not states else (tuple(states),) if kind == "LSTM" else (states[0],)
    y, last = net(x, *first)
    if spec["lengths"]:
        y, _ = pad_packed_sequence(y, batch_first=True)
    outputs = [y, *(state.transpose(0, 1) for state in (last if kind == "LSTM" else (last,)))]
    sum((values(index, f"r{i}", tuple(out.shape)) * out).sum() for i, out in enumerate(outputs)).backward()
    return {
        **spec,
        "outputs": [rounded(out) for out in outputs],
        "inputGradients": {name: rounded(tensor.grad) for name, tensor in inputs.items()},
        "weightGradients": {name: rounded(weight.grad) for name, weight in net.named_parameters()},
    }


if __name__ == "__main__":
    made = {
        "madeBy": f"make_recurrent_fixtures.py, PyTorch {torch.__version__.split('+')[0]} in float64",
        "sizes": {"batch": BATCH, "time": TIME, "in": IN, "units": UNITS},
        "cases": [run(index, spec) for index, spec in enumerate(cases())],
    }
    text = json.dumps(made, ensure_ascii=False).replace('{"kind"', '\n{"kind"')
    (Path(__file__).parent / "fixtures" / "cells.json").write_text(text + "\n")
