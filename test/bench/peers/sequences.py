"""Networks of text for the benchmark, in PyTorch: written for speed, as a user of PyTorch would."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class GptBlock(nn.Module):
    """Layer norm, causal attention, layer norm, two dense layers (Radford et al. 2019)."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        batch, time, dim = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, dim // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # [batch, heads, time, dim / heads] each
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(batch, time, dim))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Gpt(nn.Module):
    """4 blocks of 256 channels and 4 heads, 65 tokens, texts of 128, an output layer of its own."""

    def __init__(self, vocabulary=65, context=128, dim=256, depth=4, heads=4):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, dim), nn.Embedding(context, dim)
        self.blocks = nn.Sequential(*(GptBlock(dim, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, vocabulary)

    def forward(self, ids):
        places = torch.arange(ids.shape[1])
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions(places))))


class TransformerNmt(nn.Module):
    """nn.Transformer of 3 + 3 layers and 256 channels, with embeddings of its own for each language (Vaswani et al. 2017)."""

    def __init__(self, vocabulary=8000, dim=256, layers=3, heads=8, hidden=512):
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, dim), nn.Embedding(vocabulary, dim)
        self.network = nn.Transformer(dim, heads, layers, layers, hidden, dropout=0.1, batch_first=True)
        self.output = nn.Linear(dim, vocabulary)

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        states = self.network(self.source(source), self.target(target), tgt_mask=mask, tgt_is_causal=True)
        return self.output(states)


class Seq2Seq(nn.Module):
    """An LSTM in two directions, read by an LSTM with additive attention (Bahdanau et al. 2015), of 256 numbers each."""

    def __init__(self, vocabulary=8000, dim=256, units=256):
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, dim), nn.Embedding(vocabulary, dim)
        self.encoder = nn.LSTM(dim, units // 2, batch_first=True, bidirectional=True)
        self.key, self.query = nn.Linear(units, units, bias=False), nn.Linear(units, units)
        self.score = nn.Linear(units, 1, bias=False)
        self.cell, self.output = nn.LSTMCell(dim + units, units), nn.Linear(units, vocabulary)

    def forward(self, source, target):
        memory, _ = self.encoder(self.source(source))
        keys, words = self.key(memory), self.target(target)
        s = c = memory.new_zeros(source.shape[0], self.cell.hidden_size)
        states = []
        for t in range(target.shape[1]):
            energies = self.score(torch.tanh(keys + self.query(s).unsqueeze(1)))
            context = (torch.softmax(energies, 1) * memory).sum(1)
            s, c = self.cell(torch.cat([words[:, t], context], 1), (s, c))
            states.append(s)
        return self.output(torch.stack(states, 1))
