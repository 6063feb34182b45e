"""Models of the real sizes, their weights left to chance: made here, so that nothing is downloaded.

What a card does does not depend on what the weights say, as long as as many windows and tokens
are worked on. So the words that the speech model may write are made likely, and nothing else is:
text as there is in a window of speech, of whole words, and no end of it.
"""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gpu_job.diarize.pyannote.torchaudio_shim import import_torchaudio

END = 50_257  # <|endoftext|>
START, ENGLISH, TRANSLATE, TRANSCRIBE, NO_TIMES = 50_258, 50_259, 50_358, 50_359, 50_363
FIRST_WORDS = 1_000  # of the vocabulary, and no others, are written
LOGITS = 8.0  # standard deviation of those words'; all others' are near 0
BANDS = 128

TURBO = {  # openai/whisper-large-v3-turbo, but for one language fewer in the vocabulary
    "d_model": 1280,
    "encoder_layers": 32,
    "encoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "decoder_layers": 4,
    "decoder_attention_heads": 20,
    "decoder_ffn_dim": 5120,
}
TINY = {
    "d_model": 64,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_layers": 4,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 128,
}
HEADS = [[2, 0], [2, 2], [3, 0], [3, 1], [3, 2], [3, 3]]  # as many as turbo has, for word times


def write_speech(folder: Path, shape: dict[str, int], device: str) -> None:
    """Two folders: `original` as transformers reads it, `speech` as the worker does."""
    from ctranslate2.converters import TransformersConverter  # noqa: PLC0415

    import_torchaudio()  # transformers wants it, and gives up where it does not load
    original = folder / "original"
    with TemporaryDirectory(dir=folder) as scratch:
        _write_tokenizer(Path(scratch), original)
    _network(shape, original, device).save_pretrained(original)
    on_card = device == "cuda"
    converter = TransformersConverter(
        str(original),
        copy_files=["tokenizer.json", "preprocessor_config.json"],
        load_as_float16=on_card,
    )
    converter.convert(
        str(folder / "speech"), quantization="float16" if on_card else "int8", force=True
    )


def _write_tokenizer(scratch: Path, target: Path) -> None:
    """The multilingual vocabulary of 51,865 that comes with the demo model."""
    from transformers import WhisperFeatureExtractor, WhisperTokenizer  # noqa: PLC0415

    from resources.demo_models import unpack_demo_models  # noqa: PLC0415

    demo = unpack_demo_models(scratch) / "demo"
    tokenizer = WhisperTokenizer.from_pretrained(demo, pad_token="<|endoftext|>")  # noqa: S106
    tokenizer.save_pretrained(target)
    shutil.copyfile(demo / "tokenizer.json", target / "tokenizer.json")  # nothing of it is lost
    WhisperFeatureExtractor(feature_size=BANDS).save_pretrained(target)


def _network(shape: dict[str, int], tokenizer: Path, device: str) -> Any:  # noqa: ANN401
    import torch  # noqa: PLC0415
    from transformers import WhisperConfig, WhisperForConditionalGeneration  # noqa: PLC0415

    vocabulary = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    words = [i for text, i in vocabulary["vocab"].items() if text[:1] == "Ġ" and text[1:].isalpha()]
    torch.manual_seed(0)
    config = WhisperConfig(num_mel_bins=BANDS, vocab_size=51_865, max_target_positions=448, **shape)
    with torch.device(device):
        model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        table = model.model.decoder.embed_tokens.weight  # the output's weights too
        loud = sorted(words)[:FIRST_WORDS]
        table[loud] = torch.randn_like(table[loud]) * (LOGITS / shape["d_model"] ** 0.5)
    model.tie_weights()
    model.generation_config = _generation()
    return model.half() if device == "cuda" else model


def _generation() -> Any:  # noqa: ANN401
    from transformers import GenerationConfig  # noqa: PLC0415

    return GenerationConfig(
        alignment_heads=HEADS,
        begin_suppress_tokens=[220, END],
        bos_token_id=END,
        decoder_start_token_id=START,
        eos_token_id=END,
        is_multilingual=True,
        lang_to_id={"<|en|>": ENGLISH},
        max_length=448,
        no_timestamps_token_id=NO_TIMES,
        pad_token_id=END,
        suppress_tokens=[],
        task_to_id={"transcribe": TRANSCRIBE, "translate": TRANSLATE},
    )
