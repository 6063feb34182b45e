"""Warnings about the language of a recording, each with its code.

A wrong language is the worst error of a transcript: Whisper then translates, or writes fluent
sentences that nobody said, and no score shows it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from ..contract import JobOptions, JobWarning
from .language_vote import SURE, Guess
from .windows import Window

UNSURE = 0.7  # of a vote: below it, a warning is given
OUTSIDE = 0.6  # probability at which a language that is not a candidate is assumed
SO_SURE = 0.9  # at which a single window contradicts the requested language
NO_SPEECH_LIKE = 0.3  # noise and distant voices give less to all candidates together
UNLIKELY = 0.05  # at most so much for the requested language to contradict it
LEAST_WINDOW_MS = 4_000  # in shorter windows the probability is unreliable
_GUIDE = "Set the language with `escriba add --language` or DEFAULT_LANGUAGE"

# Whisper confuses these, by its own FLEURS tables (arXiv 2212.04356, appendix D)
_CONFUSED = (
    {"no", "nn"},
    {"no", "da"},
    {"hr", "bs", "sr"},
    {"mk", "sr"},
    {"mk", "bg"},
    {"id", "ms"},
    {"jw", "id"},
    {"su", "id"},
    {"zh", "yue"},
    {"ur", "hi"},
    {"pa", "hi"},
    {"sd", "ur"},
    {"gl", "pt"},
    {"gl", "es"},
    {"oc", "ca"},
    {"oc", "fr"},
    {"oc", "es"},
    {"lb", "de"},
    {"yi", "de"},
    {"af", "nl"},
    {"be", "ru"},
    {"be", "uk"},
    {"tt", "ba"},
    {"cs", "sk"},
    {"fo", "is"},
    {"haw", "mi"},
    {"tl", "en"},  # speakers mix both
    {"la", "it"},
)


def requested_language_warnings(
    forced: str, windows: Sequence[Window], guess: Callable[[Window], Guess]
) -> tuple[JobWarning, ...]:
    """A warning if the recording sounds like another language than the requested one.

    Takes one run of the encoder, and a second in the other half if the first one disagrees.
    """
    guesses: list[Guess] = []
    for window in _longest_of_halves(windows):
        heard = guess(window)
        if not _contradicts(heard, forced):
            return ()
        guesses.append(heard)
    if not guesses or (len(guesses) == 1 and guesses[0].probability < SO_SURE):
        return ()
    heard = max(guesses, key=lambda one: one.probability)
    text = (
        f"The recording was transcribed as {forced}, as requested, but sounds like "
        f"{heard.language} ({heard.probability:.0%} certain): the text may be invented. {_GUIDE}."
    )
    return (JobWarning(code="language_differs", message=text),)


def vote_warnings(
    language: str, probability: float, guesses: Sequence[Guess], options: JobOptions
) -> tuple[JobWarning, ...]:
    """Warnings about a detected language: too few votes, or several languages."""
    outside = _outside(guesses, language, options)
    if outside:
        return outside
    share = max((one.share for one in guesses), default=1.0)
    if probability >= UNSURE and share >= NO_SPEECH_LIKE:
        return ()
    sure = {one.language for one in guesses if one.probability >= SURE}
    if len(sure) > 1:
        text = (
            f"The recording contains several languages ({', '.join(sorted(sure))}), but all of it "
            f"was transcribed as {language}. Set LANGUAGE_DETECTION=along to transcribe each part "
            "in its own language."
        )
        return (JobWarning(code="languages_several", message=text),)
    return (_unsure(language, min(probability, share), options),)


def window_warnings(
    guesses: Sequence[Guess], lengths_ms: Sequence[int], options: JobOptions
) -> tuple[JobWarning, ...]:
    """A warning about detection along the recording, if half of its time is uncertain."""
    outside = _outside(guesses, "", options)
    if outside:
        return outside
    unsure = [one.probability < UNSURE for one in guesses]
    unsure_ms = sum(ms for ms, doubtful in zip(lengths_ms, unsure, strict=True) if doubtful)
    if unsure_ms * 2 <= sum(lengths_ms):
        return ()
    worst = min(guesses, key=lambda one: one.probability)
    return (_unsure(worst.language, worst.probability, options),)


def _longest_of_halves(windows: Sequence[Window]) -> list[Window]:
    """The longest window of each half."""
    middle = (len(windows) + 1) // 2
    halves = (windows[:middle], windows[middle:])
    longest = [max(half, key=lambda one: one.length_ms) for half in halves if half]
    return [window for window in longest if window.length_ms >= LEAST_WINDOW_MS]


def _contradicts(heard: Guess, forced: str) -> bool:
    """Whether it is certainly another language that the model does not confuse with `forced`."""
    if heard.language == forced or heard.probability < SURE:
        return False
    if any({heard.language, forced} <= kin for kin in _CONFUSED):
        return False
    return dict(heard.weights).get(forced, 0.0) <= UNLIKELY


def _outside(
    guesses: Sequence[Guess], language: str, options: JobOptions
) -> tuple[JobWarning, ...]:
    """A warning if the most likely language is not a candidate."""
    if not options.languages or not guesses:
        return ()
    others = [one.heard for one in guesses if one.heard[0] not in options.languages]
    heard = defaultdict[str, float](float)
    for name, probability in others:
        heard[name] += probability / len(guesses)
    likeliest, certainty = max(heard.items(), key=lambda each: each[1], default=("", 0.0))
    if certainty < OUTSIDE or any({likeliest, language} <= kin for kin in _CONFUSED):
        return ()
    was = f", but was transcribed as {language}" if language else ""
    text = (
        f"The recording sounds like {likeliest} ({certainty:.0%} certain), which is not among "
        f"{', '.join(options.languages)}{was}. Add it to LANGUAGES."
    )
    return (JobWarning(code="language_not_listed", message=text),)


def _unsure(language: str, probability: float, options: JobOptions) -> JobWarning:
    among = "" if options.languages else ", or list the possible ones in LANGUAGES"
    text = (
        f"The language is uncertain: {language} was assumed with a probability of "
        f"{probability:.0%}. {_GUIDE}{among}."
    )
    return JobWarning(code="language_unsure", message=text)
