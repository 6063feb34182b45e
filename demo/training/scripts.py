"""Scripts of the recordings, and who speaks when in RTTM.

A script begins with `# language: en` and lines such as `# voice A: en-us+f3 speed=150 pitch=60`;
every other line is `A: a sentence of the grammar.`
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from demo.training.conversations import Line, Said
from demo.training.espeak import Voice
from demo.training.grammar import accepts

LANGUAGE = re.compile(r"# language: (\w+)")
VOICE = re.compile(r"# voice (\w+): (\S+) (.*)")
LINE = re.compile(r"(\w+): (.*)")
SpeakerTurn = tuple[float, float, str]  # start and end in seconds, speaker


@dataclass
class Script:
    """What is said, by whom, in which voices."""

    language: str = ""
    voices: dict[str, Voice] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All sentences, joined by blanks."""
        return " ".join(text for _, text in self.lines)


def _voice(name: str, settings: str) -> Voice:
    pairs = (setting.split("=") for setting in settings.split())
    return Voice(name, **{key: int(value) for key, value in pairs})


def read_script(path: Path) -> Script:
    """Read a script.

    Raises:
        ValueError: a sentence is not in the grammar, so the demo model could not write it.
    """
    script = Script()
    for line in path.read_text(encoding="utf8").splitlines():
        if match := LANGUAGE.match(line):
            script.language = match[1]
        elif match := VOICE.match(line):
            script.voices[match[1]] = _voice(match[2], match[3])
        elif match := LINE.match(line.strip()):
            if not accepts(script.language, match[2]):
                raise ValueError(f"{path}: the {script.language!r} grammar lacks {match[2]!r}")
            script.lines.append((match[1], match[2]))
    return script


def write_rttm(path: Path, said: list[Said]) -> None:
    """Write who speaks when, one line for each sentence (NIST RT-09, appendix A)."""
    lines = [
        f"SPEAKER {path.stem} 1 {one.start_seconds:.3f} {one.end_seconds - one.start_seconds:.3f}"
        f" <NA> <NA> {one.speaker} <NA> <NA>\n"
        for one in said
    ]
    path.write_text("".join(lines))


def read_rttm(path: Path) -> list[SpeakerTurn]:
    """Read who speaks when."""
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows]
