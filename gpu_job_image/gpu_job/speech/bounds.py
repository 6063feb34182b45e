"""What a job may wish of a Whisper: told before anything is decoded, since no retry would help."""

from typing import Any

from ..contract import JobOptions
from ..errors import JobFailedError, ModelMissingError

MOST_TOKENS = 223  # of hotwords and prompt together: half of what the model holds, less the mark


def must_be_possible(model: Any, options: JobOptions) -> None:  # noqa: ANN401  # WhisperModel
    """Refuse what the model would stumble over, or cut without a word.

    Raises:
        ModelMissingError: it does not know the language.
        JobFailedError: hotwords and initial prompt are too long; permanent.
    """
    if options.language and not _knows(model, options.language):
        raise ModelMissingError(
            f"The job's language is {options.language}, which MODEL={options.model} does not know: "
            "take another model, or correct the language (a code such as en, de or pt)."
        )
    given = [text for text in (options.hotwords, options.initial_prompt) if text]
    tokens = sum(_tokens(model, text) for text in given)
    if tokens > MOST_TOKENS:
        raise JobFailedError(
            "internal",
            f"The job's hotwords and initial prompt are {tokens} tokens long, and a Whisper bears "
            f"{MOST_TOKENS} of both together: shorten them.",
            permanent=True,
        )


def _knows(model: Any, language: str) -> bool:  # noqa: ANN401
    """Models such as small.en know English alone; only large-v3 and its children know Cantonese."""
    if not model.model.is_multilingual:
        return language == "en"
    return model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None


def _tokens(model: Any, text: str) -> int:  # noqa: ANN401
    return len(model.hf_tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids)
