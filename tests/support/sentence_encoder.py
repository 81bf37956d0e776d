"""A sentence encoder with random weights, as Hugging Face's folders have it: two layers and a vocabulary of a few words."""

from collections.abc import Sequence
from pathlib import Path

import torch

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."]


def sentence_encoder(folder: Path, words: Sequence[str]) -> Path:
    """Write one that reads these words."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir()
    vocabulary = [*MARKS, *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **sizes)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
