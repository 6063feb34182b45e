"""Short meeting and lecture sentences, English and Portuguese, drawn from two small grammars.

    python -m demo.training.grammar

The demo speech model has to know only the language these grammars generate, so the synthesis, the
training, the evaluation and the recordings all draw their sentences from here.
"""

import argparse
import random
import re

from demo.training.grammar_rules import GRAMMARS, Rules

RULE = re.compile(r"\{(\w+)\}")
OPTION = re.compile(r"\[([^\[\]]*)\]")
WEIGHT = re.compile(r"^(\d+)\*")
PUNCTUATION = re.compile(r"[.,?]")


def _pick(rng: random.Random, alternatives: list[str]) -> str:
    weights = [int(m[1]) if (m := WEIGHT.match(a)) else 1 for a in alternatives]
    return rng.choices([WEIGHT.sub("", a) for a in alternatives], weights)[0]


class _Draw:
    """The choices made within one sentence."""

    def __init__(self, rules: Rules, rng: random.Random, *, repeats: bool) -> None:
        self.rules, self.rng, self.repeats = rules, rng, repeats
        self.spent: dict[str, set[str]] = {}

    def option(self, match: re.Match[str]) -> str:
        return match[1] if self.rng.random() < 0.5 else ""

    def alternative(self, match: re.Match[str]) -> str:
        rule, spent = self.rules[match[1]], self.spent.setdefault(match[1], set())
        fresh = rule if self.repeats else [a for a in rule if a not in spent] or rule
        choice = _pick(self.rng, fresh)
        spent.update(a for a in rule if a == choice or a.endswith("*" + choice))
        return choice


def sentence(language: str, rng: random.Random, *, repeats: bool = True) -> str:
    """One random sentence with its capital letter and punctuation.

    Without `repeats` no rule gives the same words twice ("two six two", "Anna and Anna"). Training
    uses the harder sentences with repeats, the evaluation reports both.
    """
    draw, text = _Draw(GRAMMARS[language], rng, repeats=repeats), "{S}"
    while "{" in text or "[" in text:
        text = OPTION.sub(draw.option, text)
        text = RULE.sub(draw.alternative, text, count=1)
    return text[0].upper() + text[1:]


def _pattern(language: str, text: str) -> str:
    """The regular expression of everything an alternative can become."""
    text = re.sub(r"[.?]", lambda m: "\\" + m[0], text).replace("[", "(?:").replace("]", ")?")

    def rule(match: re.Match[str]) -> str:
        alternatives = GRAMMARS[language][match[1]]
        return f"(?:{'|'.join(_pattern(language, WEIGHT.sub('', a)) for a in alternatives)})"

    return RULE.sub(rule, text)


def accepts(language: str, text: str) -> bool:
    """Whether the grammar can generate this sentence."""
    pattern = _pattern(language, "{S}")
    return any(re.fullmatch(pattern, t) for t in (text, text[0].lower() + text[1:]))


def split_punctuation(token: str) -> tuple[str, str]:
    """'ready?' becomes ('ready', '?')."""
    word = token.rstrip(".,?")
    return word, token[len(word) :]


def bare_words(text: str) -> list[str]:
    """Lower-case words without punctuation, as word errors are counted."""
    return PUNCTUATION.sub("", text).lower().split()


def vocabulary(language: str) -> list[str]:
    """All bare words the grammar can produce, sorted."""
    words: set[str] = set()
    for alternatives in GRAMMARS[language].values():
        for text in alternatives:
            words.update(bare_words(re.sub(r"^\d+\*|\{\w+\}|[\[\]]", " ", text)))
    return sorted(words)


def main() -> None:
    """Print samples and sizes of both grammars."""
    parser = argparse.ArgumentParser(description="Samples and sizes of both grammars.")
    parser.add_argument("-n", type=int, default=12, help="sentences of each language")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for language in GRAMMARS:
        rng, words = random.Random(options.seed), vocabulary(language)
        print(f"{language}: {len(words)} words: {' '.join(words)}")
        for _ in range(options.n):
            print("  ", sentence(language, rng))
        distinct = {sentence(language, rng) for _ in range(20_000)}
        print(f"   distinct in 20000 draws: {len(distinct)}")


if __name__ == "__main__":
    main()
