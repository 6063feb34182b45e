"""Whisper's multilingual tokenizer as a `tokenizer.json`, from the file openai-whisper ships.

openai-whisper stores ranks of byte strings (tiktoken); the tokenizers library wants merges of
printable characters. The merges are recovered by replaying the ranks.
"""

import base64
from pathlib import Path

import whisper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from whisper.tokenizer import get_encoding

LANGUAGES = 99
SAMPLES = ["Hello, world! 123 naïve — 你好", " A reunião começa às três."]
Ranks = dict[bytes, int]


def byte_alphabet() -> dict[int, str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    shifted = {byte: chr(256 + i) for i, byte in enumerate(others)}
    return {byte: chr(byte) for byte in printable} | shifted


def _ranks() -> Ranks:
    path = Path(whisper.__file__).parent / "assets" / "multilingual.tiktoken"
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _last_merge(token: bytes, ranks: Ranks) -> list[bytes]:
    """The two parts that merge into this token."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        rank, i = min(
            (ranks.get(parts[i] + parts[i + 1], 1 << 60), i) for i in range(len(parts) - 1)
        )
        if rank >= ranks[token]:
            break
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def _byte_pairs(ranks: Ranks) -> models.BPE:
    alphabet = byte_alphabet()

    def text(token: bytes) -> str:
        return "".join(alphabet[byte] for byte in token)

    ordered = sorted(ranks, key=ranks.__getitem__)
    merges = [tuple(map(text, _last_merge(t, ranks))) for t in ordered if len(t) > 1]
    return models.BPE(vocab={text(t): rank for t, rank in ranks.items()}, merges=merges)


def _is_time(token: str) -> bool:
    return token[2:-2].replace(".", "").isdigit()


def _special_tokens() -> dict[str, int]:
    """Whisper's special tokens with their ids, in the order of these."""
    encoding = get_encoding("multilingual", LANGUAGES)
    found = {name: encoding.encode_single_token(name) for name in encoding.special_tokens_set}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _check(tokenizer: Tokenizer) -> None:
    encoding = get_encoding("multilingual", LANGUAGES)
    for name, number in _special_tokens().items():
        if tokenizer.token_to_id(name) != number:
            raise ValueError(f"{name} got id {tokenizer.token_to_id(name)} instead of {number}")
    for text in SAMPLES:
        if tokenizer.encode(text, add_special_tokens=False).ids != encoding.encode(text):
            raise ValueError(f"the rebuilt tokenizer splits {text!r} unlike openai-whisper")


def build_tokenizer() -> Tokenizer:
    """The tokenizer with all special tokens at Whisper's ids.

    Raises:
        ValueError: it would not encode as openai-whisper does.
    """
    tokenizer = Tokenizer(_byte_pairs(_ranks()))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = list(_special_tokens())
    special = [AddedToken(n, special=True, normalized=False) for n in names if not _is_time(n)]
    times = [AddedToken(n, special=False, normalized=False) for n in names if _is_time(n)]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(times)
    _check(tokenizer)
    return tokenizer


def token_list(tokenizer: Tokenizer) -> list[str]:
    """All tokens in the order of their ids."""
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)
