"""Synthesise the training material with espeak-ng.

python -m demo.training.synthesize speech   --out pools/speech.npz
python -m demo.training.synthesize speakers --out pools/speakers.npz
"""

import argparse
from pathlib import Path

from demo.training.pools import write_pool
from demo.training.spectrogram import whisper_filters
from demo.training.utterances import (
    TRAINING_SEED,
    TRAINING_SENTENCES,
    speaker_utterances,
    speech_utterances,
)
from gpu_job.diarize.log_mel import MEL_FILTERS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Synthesise a pool of training material.")
    parser.add_argument("pool", choices=["speech", "speakers"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--en", type=int, default=TRAINING_SENTENCES["en"], help="sentences")
    parser.add_argument("--pt", type=int, default=TRAINING_SENTENCES["pt"], help="sentences")
    parser.add_argument("--speakers", type=int, default=480)
    parser.add_argument("--utterances", type=int, default=10, help="of each speaker")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=TRAINING_SEED)
    return parser.parse_args()


def main() -> None:
    """Write the pool that the command line asks for."""
    options = _options()
    if options.pool == "speech":
        counts = {"en": options.en, "pt": options.pt}
        utterances, filters = speech_utterances(counts, options.seed), whisper_filters()
    else:
        utterances = speaker_utterances(options.speakers, options.utterances, options.seed)
        filters = MEL_FILTERS
    write_pool(utterances, filters, options.out, options.processes)


if __name__ == "__main__":
    main()
