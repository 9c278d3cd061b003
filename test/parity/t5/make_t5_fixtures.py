"""Makes the fixtures of t5.test.ts: what Hugging Face's T5ForConditionalGeneration computes in float64.

    ~/.cache/zoo-peer/bin/pip install transformers
    ~/.cache/zoo-peer/bin/python test/parity/t5/make_t5_fixtures.py

A fixture holds logits, loss, and of every gradient its norm and some entries; weights, ids and lengths come from the
generator that both languages have. As in make_fixtures.py a fixture's seed is the first that keeps away from the kinks of
ReLU. `hub.safetensors` is a network as the hub has it, names and all, for the import; `buckets.json` has the buckets of
distances.
"""

import json
import sys
from itertools import count
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention, T5DenseActDense

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import MARGIN, error_of, integers, margins, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
HUB = FOLDER / "hub"
BATCH, SOURCE, TARGET = 3, 7, 5
LENGTHS = [7, 3, 1]


def network(options):
    config = T5Config(
        vocab_size=options["sourceVocabulary"],
        d_model=options["units"],
        num_heads=options["heads"],
        d_kv=options["headUnits"],
        num_layers=options["encoderLayers"],
        num_decoder_layers=options["decoderLayers"],
        d_ff=options["hidden"],
        relative_attention_num_buckets=options["buckets"],
        relative_attention_max_distance=options["maxDistance"],
        feed_forward_proj=options["feedForward"],
        tie_word_embeddings=options["tied"],
        dropout_rate=0.0,
        decoder_start_token_id=0,
        attn_implementation="eager",
    )
    net = T5ForConditionalGeneration(config)
    if not options["tied"]:
        # It shares the table unless a file brings two, and asks the configuration only how large the logits are.
        net.lm_head.weight = nn.Parameter(net.shared.weight.detach().clone())
    for module in net.modules():
        if isinstance(module, T5DenseActDense):
            module.act.register_forward_pre_hook(lambda _, given: margins.append(given[0].detach().abs().min().item()))
    return net


def ids_of(seed, name, tokens, vocabulary):
    return torch.from_numpy(integers(stream(seed, "fixture", name), BATCH * tokens, vocabulary)).view(BATCH, tokens)


def run(options, seed, dtype):
    net = network(options).to(dtype)
    parameters = dict(net.named_parameters())
    for name, parameter in parameters.items():
        parameter.data.copy_(torch.from_numpy(value_of(seed, name, tuple(parameter.shape))).to(dtype))
    vocabulary = options["sourceVocabulary"]
    ids = ids_of(seed, "target", TARGET + 1, vocabulary)
    lengths = torch.tensor(LENGTHS)
    logits = net(
        input_ids=ids_of(seed, "source", SOURCE, vocabulary),
        attention_mask=(torch.arange(SOURCE)[None] < lengths[:, None]).long(),
        decoder_input_ids=ids[:, :-1],
    ).logits
    labels = ids[:, 1:].clone()
    labels[0, -1] = -100  # does not count
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
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
        if not margins or min(margins) >= MARGIN:
            break
    single = run(options, seed, torch.float32)
    return {
        "madeBy": f"make_t5_fixtures.py, transformers {transformers.__version__} in float64",
        "options": options,
        "seed": seed,
        "batch": BATCH,
        "source": SOURCE,
        "target": TARGET,
        "lengths": LENGTHS,
        "float32": {"gradients": error_of(single["gradients"], exact["gradients"])},
        **exact,
    }


SMALL = {"sourceVocabulary": 11, "units": 8, "heads": 2, "headUnits": 4, "encoderLayers": 2, "decoderLayers": 2,
         "hidden": 12, "buckets": 8, "maxDistance": 6, "feedForward": "relu", "tied": True}  # fmt: skip
FIXTURES = {
    "v1.0": SMALL,
    "v1.1": {**SMALL, "feedForward": "gated-gelu", "tied": False, "headUnits": 3},
    "uneven": {**SMALL, "encoderLayers": 1, "decoderLayers": 3, "heads": 3, "buckets": 32, "maxDistance": 128},
}


def hub_file():
    """A network as `save_pretrained` writes it, and its logits."""
    torch.manual_seed(0)
    net = network(SMALL).eval()
    tensors = {name: value.contiguous() for name, value in net.state_dict().items()}
    # Old files of the hub have the shared table three times more.
    tensors |= {name: tensors["shared.weight"].clone() for name in tensors if "embed_tokens" in name or "lm_head" in name}
    save_file(tensors, HUB / "hub.safetensors", metadata={"format": "pt"})
    source, target = ids_of(1, "hub source", SOURCE, 11), ids_of(1, "hub target", TARGET, 11)
    mask = (torch.arange(SOURCE)[None] < torch.tensor(LENGTHS)[:, None]).long()
    logits = net.double()(input_ids=source, attention_mask=mask, decoder_input_ids=target).logits
    made = {"seed": 1, "options": SMALL, "logits": logits.detach().flatten().tolist(), "names": sorted(tensors)}
    (HUB / "hub.json").write_text(json.dumps(made) + "\n")


def buckets():
    distances = torch.arange(-300, 301)
    kinds = [(32, 128, False), (32, 128, True), (8, 6, False), (5, 20, True), (16, 40, False)]
    made = [
        {
            "buckets": n,
            "maxDistance": most,
            "causal": causal,
            "first": -300,
            "expected": T5Attention._relative_position_bucket(distances, not causal, n, most).tolist(),
        }
        for n, most, causal in kinds
    ]
    (HUB / "buckets.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    HUB.mkdir(parents=True, exist_ok=True)
    for name, options in FIXTURES.items():
        made = make(options)
        (FOLDER / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")
        print(name, "seed", made["seed"], "loss", made["loss"], made["float32"])
    hub_file()
    buckets()
