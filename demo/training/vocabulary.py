"""The tokens and the label sets of everything a pool says."""

from whisper.tokenizer import get_tokenizer

from demo.training.grammar import bare_words, split_punctuation
from demo.training.pools import Meta
from demo.training.tokens import SPECIAL_TOKENS


class Vocabulary:
    """Compact ids for the tokens of all words, and labels for words and phonemes.

    `ids[compact]` is the token's id in Whisper's multilingual vocabulary; `word_tokens[word]` the
    compact ids of a word as written and of its punctuation. Label 0 is "neither".
    """

    def __init__(self, metas: list[Meta]) -> None:
        self._tokenizer = get_tokenizer(
            multilingual=True, num_languages=99, language="en", task="transcribe"
        )
        encoding = self._tokenizer.encoding
        self.ids = [encoding.encode_single_token(name) for name in SPECIAL_TOKENS]
        self._compact = {token: i for i, token in enumerate(self.ids)}
        written = sorted({word for meta in metas for word, _, _ in meta["words"]})
        self.word_tokens = {word: self._tokens_of(word) for word in written}
        self.words = _labels({bare_words(word)[0] for word in written})
        phones = {phone for meta in metas for phone, _ in meta["phones"]}
        self.phones = _labels({phone for phone in phones if not phone.startswith("_")})

    @property
    def first_time(self) -> int:
        """The compact id of <|0.00|>: timestamps follow the tokens."""
        return len(self.ids)

    def _tokens_of(self, written: str) -> tuple[list[int], list[int]]:
        word, punctuation = split_punctuation(written)
        return self._encode(" " + word), self._encode(punctuation) if punctuation else []

    def _encode(self, text: str) -> list[int]:
        return [self._add(token) for token in self._tokenizer.encode(text)]

    def _add(self, token: int) -> int:
        if token not in self._compact:
            self._compact[token] = len(self.ids)
            self.ids.append(token)
        return self._compact[token]


def _labels(names: set[str]) -> dict[str, int]:
    return {name: i + 1 for i, name in enumerate(sorted(names))}
