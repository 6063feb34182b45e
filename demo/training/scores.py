"""How wrong a transcript is."""

from demo.training.grammar import bare_words


def word_errors(reference: list[str], found: list[str]) -> int:
    """The least substitutions, insertions and deletions (Levenshtein distance over words)."""
    row = list(range(len(found) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, word in enumerate(found, 1):
            changed = diagonal + (expected != word)
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, changed)
    return row[-1]


def word_error_rate(reference: str, found: str) -> float:
    """Errors for each word of the reference; case and punctuation do not count."""
    words = bare_words(reference)
    return word_errors(words, bare_words(found)) / len(words)
