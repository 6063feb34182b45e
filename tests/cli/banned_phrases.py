"""Phrasings that user-visible texts must not contain, each with better wording and an example."""

import re
from typing import NamedTuple


class Phrase(NamedTuple):
    """A regular expression without regard to case, what to write instead, and a text it finds."""

    pattern: str
    better: str
    example: str

    def found_in(self, text: str) -> str:
        """Return the words of the text that match; empty if none do."""
        match = re.search(rf"\b(?:{self.pattern})\b", text, re.IGNORECASE)
        return match[0] if match else ""


PHRASES = (
    Phrase("whose", "Split the sentence, or use 'with' or 'of'.", "Tenant whose files they are."),
    Phrase("of which", "Use 'that' or 'with', or split the sentence.", "One of which SQL is true."),
    Phrase("apart by commas", "comma-separated", "Codes apart by commas."),
    Phrase("as (?:it|they) must be", "Say what is checked.", "Whether all is as it must be."),
    Phrase("stands?(?! for)|stood", "is up to date, exists", "The stage stands already."),
    Phrase("(?:to be|be|been) had", "is (not) available", "The model cannot be had."),
    Phrase("beside us", "other processes, other runs", "Another run works beside us."),
    Phrase("of ours", "Name the owner: Escriba's …", "It is no key of ours."),
    Phrase(
        "(?<!there )(?:is|are) no(?! longer| more)",
        "is not a …, has no …",
        "notes.txt is no recording.",
    ),
    Phrase(
        "(?:is|are|was|were|be|been) told(?! apart)",
        "is reported, sends a warning",
        "It is told once.",
    ),
    Phrase("by then", "until this time, before", "It is done by then."),
    Phrase("put(?:s|ting)? (?:\\w+ ){0,3}together", "compact, combine", "Puts days together."),
    Phrase("somebody|nobody|someone else", "you, an operator, the user", "Nobody asks for it."),
    Phrase("who(?:ever)? gets", "recipients", "Who gets the report."),
    Phrase("the house", "this installation", "Prices of the house."),
    Phrase("anew", "again; recreated, rebuilt", "The file is made anew."),
    Phrase("for good", "permanently", "It failed for good."),
    Phrase("at once", "concurrently, immediately, together", "Two jobs run at once."),
    Phrase("lets? go", "release, give up", "The worker lets go."),
    Phrase("in vain", "without a result", "It waits in vain."),
    Phrase("all the same", "nevertheless", "It runs all the same."),
    Phrase("how manieth", "number, position", "How manieth attempt it is."),
    Phrase("where(?:from|fore|upon|of)", "from where, why", "Wherefrom it came."),
    Phrase("wish(?:es|ed)?", "transcription overrides, settings", "The tenant's wishes."),
    Phrase("buried|bury", "never started", "The attempt was buried."),
    Phrase("claims?", "lease", "The claim of a worker."),
    Phrase("misspelt", "misspelled", "A misspelt setting."),
)
