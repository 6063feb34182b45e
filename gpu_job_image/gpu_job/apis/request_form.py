"""The form fields of one request, by what the API takes."""

from ..contract import JobOptions
from ..contract.api_presets import ApiPreset

Field = tuple[str, str]


def form_of(preset: ApiPreset, options: JobOptions) -> list[Field]:
    """All fields but the file; the same for every piece of a job."""
    fields = [("model", preset.model)]
    if not translates(preset, options):
        fields += _language(preset, options)
    fields += _format(preset)
    return fields + _hints(preset, options)


def translates(preset: ApiPreset, options: JobOptions) -> bool:
    """Whether the job is a translation that the API can make."""
    return options.task == "translate" and preset.translates


def _language(preset: ApiPreset, options: JobOptions) -> list[Field]:
    if preset.language_field == "languages[]":
        given = (options.language,) if options.language else options.languages
        return [("languages[]", code) for code in given]
    return [("language", options.language)] if options.language else []


def _format(preset: ApiPreset) -> list[Field]:
    if preset.times == "none":
        return [("response_format", "json")]
    asked = ["word", "segment"] if preset.times == "word" else ["segment"]
    times = [("timestamp_granularities[]", each) for each in asked]
    return [("response_format", "verbose_json"), *times] if preset.sends_format else times


def _hints(preset: ApiPreset, options: JobOptions) -> list[Field]:
    """Expected words and style; where there is a field for words, the style stays apart."""
    words = [word.strip() for word in options.hotwords.split(",") if word.strip()]
    style = options.initial_prompt.strip()
    if preset.hint_field == "prompt":
        prompt = " ".join(filter(None, [style, options.hotwords.strip()]))
        return [("prompt", prompt)] if prompt else []
    if preset.hint_field == "context_bias[]":  # Mistral refuses blanks within one
        return [("context_bias[]", word.replace(" ", "_")) for word in words]
    return [*(("keywords[]", word) for word in words), *([("prompt", style)] if style else [])]
