"""The language of a recording from the answers to its pieces, and warnings about it."""

from collections import Counter
from collections.abc import Iterator

from ..contract import JobOptions, JobWarning

SEVERAL_SHARE = 0.8  # of the speech: below it, the recording is in several languages
_GUIDE = "Set the language with `escriba add --language` or DEFAULT_LANGUAGE"


class HeardLanguages:
    """How much of each language the API heard, in milliseconds."""

    def __init__(self, earlier: str, earlier_ms: int) -> None:
        self._ms: Counter[str] = Counter({earlier: earlier_ms} if earlier else {})

    def add(self, language: str, length_ms: int) -> None:
        """One more piece; an empty language is unknown."""
        if language:
            self._ms[language] += length_ms

    @property
    def language(self) -> str:
        """The language of most of the speech; empty if the API names none."""
        return max(self._ms, key=lambda one: (self._ms[one], one), default="")

    @property
    def share(self) -> float:
        """Its share of the speech whose language is known."""
        return self._ms[self.language] / self._ms.total() if self._ms.total() else 1.0

    def warnings(self, options: JobOptions) -> Iterator[JobWarning]:
        """What the languages say about the job's own."""
        heard = self.language
        if options.language:
            if heard and heard != options.language:
                text = (
                    f"The recording was requested as {options.language}, but the API heard "
                    f"{heard}: the text may be a translation or invented. {_GUIDE}."
                )
                yield JobWarning(code="language_differs", message=text)
            return
        if not heard:
            text = f"The API does not say which language it heard. {_GUIDE}."
            yield JobWarning(code="language_unknown", message=text)
        elif options.languages and heard not in options.languages:
            text = (
                f"The API heard {heard}, which is not among {', '.join(options.languages)}. "
                "Add it to LANGUAGES."
            )
            yield JobWarning(code="language_not_listed", message=text)
        elif options.detect == "once" and self.share < SEVERAL_SHARE:
            text = (
                f"The recording contains several languages ({', '.join(sorted(self._ms))}); "
                f"{heard} is that of most of it."
            )
            yield JobWarning(code="languages_several", message=text)
