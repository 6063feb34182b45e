"""The speech pool as the mixer needs it: by language, with a label for every 20 ms."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from demo.training.grammar import bare_words
from demo.training.pools import Meta, Pool
from demo.training.vocabulary import Vocabulary

Labels = npt.NDArray[np.int16]
PER_SECOND = 50  # labels and encoder positions


class Material:
    """A loaded speech pool; utterances are numbers."""

    def __init__(self, path: Path) -> None:
        self.pool = Pool(path)
        self.vocabulary = Vocabulary(self.pool.meta)
        metas = list(enumerate(self.pool.meta))
        self.by_language = {
            language: [i for i, meta in metas if meta["lang"] == language]
            for language in ("en", "pt")
        }
        self.labels = [self._labels(meta, self.pool.frames(i)) for i, meta in metas]

    def _labels(self, meta: Meta, frames: int) -> tuple[Labels, Labels]:
        """Phoneme and word label of every 20 ms of an utterance."""
        phones, words = np.zeros(frames // 2 + 1, np.int16), np.zeros(frames // 2 + 1, np.int16)
        starts = meta["phones"]
        for (phone, start), (_, end) in zip(starts, [*starts[1:], starts[-1]], strict=True):
            label = self.vocabulary.phones.get(phone, 0)
            phones[round(start * PER_SECOND) : round(end * PER_SECOND)] = label
        for word, start, end in meta["words"]:
            label = self.vocabulary.words[bare_words(word)[0]]
            words[round(start * PER_SECOND) : round(end * PER_SECOND)] = label
        return phones, words
