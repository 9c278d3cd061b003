"""Makes the fixtures of bert.test.ts: what Hugging Face's BERT computes in float64 on small random configurations.

    ~/.cache/zoo-peer/bin/pip install transformers
    ~/.cache/zoo-peer/bin/python test/parity/bert/make_bert_fixtures.py

A fixture holds logits, losses, and of every gradient its norm and some entries; weights and ids come from the generator
that both languages have. Of its rows one is all of padding but for two tokens. `bert-hub.safetensors` is a network as the
hub has the first of them: norms with `gamma` and `beta`, and the output layer's weight beside the table that it is.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining, BertForSequenceClassification

sys.path.append(str(Path(__file__).parents[1]))
from make_fixtures import integers, stream, summary, value_of  # noqa: E402

FOLDER = Path(__file__).parent / "fixtures"
SEED = 7
BATCH, TOKENS = 3, 7
LENGTHS = [7, 2, 5]
# Places of hidden words, of which the −1 do not count.
PLACES = [[1, 5, 3], [1, 0, 0], [4, 2, 0]]
COUNTED = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
NEXT = [0, 1, 1]


def config_of(options, **more):
    # Hugging Face gives the vector of padding no gradient; ours never looks at it, but at id 0 where a text has it.
    return BertConfig(
        vocab_size=options["vocabulary"], max_position_embeddings=options["context"], hidden_size=options["dim"],
        num_hidden_layers=options["depth"], num_attention_heads=options["heads"], intermediate_size=options["hidden"],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=None, attn_implementation="eager", **more,
    )  # fmt: skip


def ids_of(what, size, below):
    return torch.from_numpy(integers(stream(SEED, "fixture", what), size, below).astype(np.int64)).reshape(BATCH, -1)


def texts(options):
    return {
        "input_ids": ids_of("ids", BATCH * TOKENS, options["vocabulary"]),
        "token_type_ids": ids_of("types", BATCH * TOKENS, 2),
        "attention_mask": (torch.arange(TOKENS)[None] < torch.tensor(LENGTHS)[:, None]).long(),
    }


def with_values(net):
    for key, value in net.named_parameters():
        value.data.copy_(torch.from_numpy(value_of(SEED, key, tuple(value.shape))).double())
    return net


def write(name, options, fixture):
    shape = {"batch": BATCH, "tokens": TOKENS, "lengths": LENGTHS}
    (FOLDER / f"{name}.json").write_text(json.dumps({"options": options, "seed": SEED, **shape, **fixture}) + "\n")


def gradients(net):
    return {key: summary(SEED, key, value.grad) for key, value in net.named_parameters()}


def pretraining(name, options):
    net = with_values(BertForPreTraining(config_of(options)).double().eval())
    given = texts(options)
    places = torch.tensor(PLACES)
    labels = ids_of("words", BATCH * places.shape[1], options["vocabulary"])
    labels = torch.where(torch.tensor(COUNTED) == 1, labels, -1)
    outputs = net(**given)
    words = outputs.prediction_logits[torch.arange(BATCH)[:, None], places]
    losses = {
        "words": F.cross_entropy(words.flatten(0, 1), labels.flatten(), ignore_index=-1),
        "next": F.cross_entropy(outputs.seq_relationship_logits, torch.tensor(NEXT)),
    }
    sum(losses.values()).backward()
    flat = lambda x: x.detach().flatten().tolist()  # noqa: E731
    fixture = {
        "places": places.tolist(),
        "words": labels.tolist(),
        "next": NEXT,
        "logits": {"words": flat(words), "next": flat(outputs.seq_relationship_logits)},
        "losses": {key: value.item() for key, value in losses.items()},
        "gradients": gradients(net),
    }
    write(name, options, fixture)


def classification(name, options, classes):
    net = with_values(BertForSequenceClassification(config_of(options, num_labels=classes)).double().eval())
    labels = [2, 0, 1]
    logits = net(**texts(options)).logits
    loss = F.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    fixture = {"labels": labels, "logits": logits.detach().flatten().tolist(), "loss": loss.item()}
    write(name, {**options, "classes": classes}, {**fixture, "gradients": gradients(net)})


def hub_file(name, options):
    """Weights of float32 in the names of google-bert/bert-base-uncased, and what the network says in float64."""
    torch.manual_seed(0)
    net = BertForPreTraining(config_of(options)).eval()
    for key, value in net.named_parameters():
        if value.ndim == 1:
            value.data.add_(0.1 * torch.randn_like(value))  # a new norm would be 1 and 0
    old = lambda key: key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")  # noqa: E731
    left_out = ("cls.predictions.decoder.bias", "bert.embeddings.position_ids")
    tensors = {old(key): value.clone() for key, value in net.state_dict().items() if key not in left_out}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata={"format": "pt"})
    outputs = net.double()(**texts(options))
    logits = {"words": outputs.prediction_logits, "next": outputs.seq_relationship_logits}
    write(name, options, {"logits": {key: value.detach().flatten().tolist() for key, value in logits.items()}})


def main():
    FOLDER.mkdir(exist_ok=True)
    small = {"vocabulary": 11, "context": 9, "dim": 8, "depth": 2, "heads": 2, "hidden": 12}
    pretraining("pretrain-narrow", small)
    pretraining("pretrain-heads", {**small, "heads": 4, "depth": 3, "vocabulary": 13, "hidden": 16})
    classification("classifier", small, classes=3)
    hub_file("bert-hub", small)


if __name__ == "__main__":
    sys.exit(main())
