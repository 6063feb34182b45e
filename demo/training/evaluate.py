"""Measure the demo models; recordings are synthesised on the spot from unseen sentences and voices.

python -m demo.training.evaluate speech    --model whisper-demo [--quick]
python -m demo.training.evaluate speakers  --model demo/models/speaker-demo.onnx
python -m demo.training.evaluate recording --model … --audio real.wav --reference real.rttm
"""

import argparse
from pathlib import Path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a demo model.")
    parser.add_argument("what", choices=["speech", "speakers", "recording"])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="speech: 4 minutes, three settings")
    parser.add_argument("--repeats", action="store_true", help="speech: harder sentences")
    parser.add_argument("--count", type=int, default=10, help="speakers: of each language")
    parser.add_argument(
        "--training-voices", action="store_true", help="speakers: to choose a threshold"
    )
    parser.add_argument("--audio", type=Path, help="recording: the audio")
    parser.add_argument("--reference", type=Path, help="recording: who speaks, as .rttm")
    return parser.parse_args()


def _speech(options: argparse.Namespace) -> None:
    from demo.training import evaluate_details, evaluate_speech  # noqa: PLC0415  only one is used

    quick, seed = options.quick, options.seed
    plan = evaluate_speech.speech_plan(quick=quick, repeats=options.repeats, seed=seed)
    evaluate_speech.print_speech(options.model, plan, quick=quick)
    if not quick:
        evaluate_details.print_details(options.model, seed)


def _speakers(options: argparse.Namespace) -> None:
    from demo.training import evaluate_speakers  # noqa: PLC0415  only one is used

    if options.what == "recording":
        evaluate_speakers.print_recording(options.model, options.audio, options.reference)
        return
    held_out = not options.training_voices
    evaluate_speakers.print_speakers(
        options.model, count=options.count, seed=options.seed, held_out=held_out
    )


def main() -> None:
    """Measure what the command line says."""
    options = _options()
    if options.what == "speech":
        _speech(options)
    else:
        _speakers(options)


if __name__ == "__main__":
    main()
