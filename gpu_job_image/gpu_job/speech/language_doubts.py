"""What speaks against the language of a recording: sentences for people, each with its code.

A wrong language is the worst that can happen to a transcript: Whisper then translates, or writes
fluent sentences that nobody said, and no score shows it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from ..contract import JobOptions, JobWarning
from .languages import SURE, Guess
from .windows import Window

UNSURE = 0.7  # of a vote: below it people are told
OUTSIDE = 0.6  # where so much was given to a language that is no candidate, it is that one
SO_SURE = 0.9  # that one window alone contradicts what was wished for
NO_SPEECH_LIKE = 0.3  # of noise and far voices less is given to all candidates together
UNLIKELY = 0.05  # what a forced language is given at most where something else is surely heard
LEAST_WINDOW_MS = 4_000  # of shorter ones the model's probability says too little
_GUIDE = "`escriba add --language` or DEFAULT_LANGUAGE says which one it is"

# Whisper takes the one for the other, by its own FLEURS tables (arXiv 2212.04356, appendix D)
_KIN = (
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
    {"tl", "en"},  # people who speak it mix both
    {"la", "it"},
)


def against(
    forced: str, windows: Sequence[Window], guess: Callable[[Window], Guess]
) -> tuple[JobWarning, ...]:
    """Whether a window or two sound like another language than the one that was wished for.

    One run of the encoder; a second, in the other half, where the first one disagrees.
    """
    guesses: list[Guess] = []
    for window in _two_of(windows):
        heard = guess(window)
        if not _contradicts(heard, forced):
            return ()
        guesses.append(heard)
    if not guesses or (len(guesses) == 1 and guesses[0].probability < SO_SURE):
        return ()
    heard = max(guesses, key=lambda one: one.probability)
    text = (
        f"It was transcribed as {forced}, as was wished, and sounds like {heard.language} "
        f"({heard.probability:.0%} sure): what is written may be invented. {_GUIDE}."
    )
    return (JobWarning(code="language_differs", message=text),)


def of_vote(
    language: str, probability: float, guesses: Sequence[Guess], options: JobOptions
) -> tuple[JobWarning, ...]:
    """Of a language that was chosen for all: too few votes, or several languages."""
    outside = _outside(guesses, language, options)
    if outside:
        return outside
    share = max((one.share for one in guesses), default=1.0)
    if probability >= UNSURE and share >= NO_SPEECH_LIKE:
        return ()
    sure = {one.language for one in guesses if one.probability >= SURE}
    if len(sure) > 1:
        text = (
            f"Several languages are heard ({', '.join(sorted(sure))}), and all of it was "
            f"transcribed as {language}: LANGUAGE_DETECTION=along hears each in its own."
        )
        return (JobWarning(code="languages_several", message=text),)
    return (_unsure(language, min(probability, share), options),)


def of_windows(
    guesses: Sequence[Guess], lengths_ms: Sequence[int], options: JobOptions
) -> tuple[JobWarning, ...]:
    """Of languages along the way: told where half of the time nobody is sure of any."""
    outside = _outside(guesses, "", options)
    if outside:
        return outside
    unsure = [one.probability < UNSURE for one in guesses]
    unsure_ms = sum(ms for ms, doubtful in zip(lengths_ms, unsure, strict=True) if doubtful)
    if unsure_ms * 2 <= sum(lengths_ms):
        return ()
    worst = min(guesses, key=lambda one: one.probability)
    return (_unsure(worst.language, worst.probability, options),)


def _two_of(windows: Sequence[Window]) -> list[Window]:
    """The longest window of each half."""
    middle = (len(windows) + 1) // 2
    halves = (windows[:middle], windows[middle:])
    longest = [max(half, key=lambda one: one.length_ms) for half in halves if half]
    return [window for window in longest if window.length_ms >= LEAST_WINDOW_MS]


def _contradicts(heard: Guess, forced: str) -> bool:
    """Surely another language, and not one that the model takes for the forced one."""
    if heard.language == forced or heard.probability < SURE:
        return False
    if any({heard.language, forced} <= kin for kin in _KIN):
        return False
    return dict(heard.weights).get(forced, 0.0) <= UNLIKELY


def _outside(
    guesses: Sequence[Guess], language: str, options: JobOptions
) -> tuple[JobWarning, ...]:
    """Where it is most likely none of the candidates."""
    if not options.languages or not guesses:
        return ()
    others = [one.heard for one in guesses if one.heard[0] not in options.languages]
    heard = defaultdict[str, float](float)
    for name, probability in others:
        heard[name] += probability / len(guesses)
    likeliest, certainty = max(heard.items(), key=lambda each: each[1], default=("", 0.0))
    if certainty < OUTSIDE or any({likeliest, language} <= kin for kin in _KIN):
        return ()
    was = f", and was transcribed as {language}" if language else ""
    text = (
        f"It sounds like {likeliest} ({certainty:.0%} sure), which is none of "
        f"{', '.join(options.languages)}{was}: add it to LANGUAGES."
    )
    return (JobWarning(code="language_not_listed", message=text),)


def _unsure(language: str, probability: float, options: JobOptions) -> JobWarning:
    among = "" if options.languages else ", and LANGUAGES among which it is to be looked for"
    text = (
        f"The language is unsure: it was taken for {language}, with a certainty of "
        f"{probability:.0%}. {_GUIDE}{among}."
    )
    return JobWarning(code="language_unsure", message=text)
