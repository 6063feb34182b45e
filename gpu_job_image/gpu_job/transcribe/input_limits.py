"""Checks the options of a job against the model before decoding, since no retry would help."""

from typing import Any

from ..common.errors import JobFailedError, ModelMissingError
from ..contract import JobOptions

MOST_TOKENS = 223  # of hotwords and prompt together: half of the model's context, less one


def check_options(model: Any, options: JobOptions) -> None:  # noqa: ANN401  # WhisperModel
    """Refuse options that the model cannot handle or would silently truncate.

    Raises:
        ModelMissingError: the model does not know the language.
        JobFailedError: hotwords and initial prompt are too long; permanent.
    """
    if options.language and not _knows(model, options.language):
        raise ModelMissingError(
            f"The job's language is {options.language}, which MODEL={options.model} does not know. "
            "Use another model, or correct the language (a code such as en, de or pt)."
        )
    given = [text for text in (options.hotwords, options.initial_prompt) if text]
    tokens = sum(_tokens(model, text) for text in given)
    if tokens > MOST_TOKENS:
        raise JobFailedError(
            "internal",
            f"The job's hotwords and initial prompt have {tokens} tokens, but Whisper accepts at "
            f"most {MOST_TOKENS} in both together: shorten them.",
            permanent=True,
        )


def _knows(model: Any, language: str) -> bool:  # noqa: ANN401
    """Whether the model has the language: small.en has only English, only large-v3 Cantonese."""
    if not model.model.is_multilingual:
        return language == "en"
    return model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None


def _tokens(model: Any, text: str) -> int:  # noqa: ANN401
    return len(model.hf_tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids)
