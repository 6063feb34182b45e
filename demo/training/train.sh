#!/usr/bin/env bash
# Makes the demo models from nothing, in a folder of its own: about an hour on two cores.
#
#   demo/training/train.sh [--rehearse] [FOLDER]
#
# It takes up where it was interrupted: what is in FOLDER (data/demo-training) is not made again.
# With --rehearse everything runs for a few steps on small pools, in minutes; the models are
# useless, so FOLDER is data/demo-rehearsal then. PYTHON names the interpreter, 3.11 or 3.12.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=data/demo-training
pool=() short=() few=() measure=()
if [[ ${1:-} == --rehearse ]]; then
    shift
    folder=data/demo-rehearsal
    pool=(--en 300 --pt 300 --speakers 12 --utterances 6)
    short=(--steps 3) few=(--steps 20) measure=(--count 1)
fi
work=${1:-$folder}

if ! command -v espeak-ng > /dev/null; then
    echo "espeak-ng is missing: the demo models learn from its voices. Install it first," >&2
    echo "for instance with 'apt-get install espeak-ng' (1.51 made the shipped models)." >&2
    exit 1
fi

# once NAME COMMAND…: runs COMMAND with --out, unless NAME is there; a half-made NAME never counts.
once() {
    local name=$1
    shift
    if [[ -e $work/$name ]]; then
        echo "== $name is there"
        return
    fi
    echo "== $name"
    rm -rf "$work/unfinished"
    mkdir -p "$work/unfinished"
    "$@" --out "$work/unfinished/$name"
    mv "$work/unfinished/$name" "$work/$name"
}

if [[ ! -e $work/environment/complete ]]; then
    "${PYTHON:-python3}" -m venv "$work/environment"
    "$work/environment/bin/pip" install --quiet -r demo/training/requirements.txt -e gpu_job_image
    touch "$work/environment/complete"
fi
python=$work/environment/bin/python
run() { "$python" -m "demo.training.$1" "${@:2}"; }

once speech.npz   run synthesize speech "${pool[@]}"
once speakers.npz run synthesize speakers "${pool[@]}"

speech() { run train_speech --pool "$work/speech.npz" "$@" "${short[@]}"; }
last=(--stage deep --workers 2 --lr 7e-4 --english 0.4)
once encoder.pt speech --stage encoder --workers 2
once short.pt   speech --stage short --init "$work/encoder.pt"
once full.pt    speech --stage full --workers 2 --init "$work/short.pt" --stop 800
once deep.pt    speech --stage deep --workers 2 --init "$work/full.pt"
once final.pt   speech "${last[@]}" --init "$work/deep.pt" --steps 380 --seed 2
once final2.pt  speech "${last[@]}" --init "$work/final.pt" --steps 170 --seed 3 --prompts 0.5
once whisper-demo run export --checkpoint "$work/final.pt" "$work/final2.pt"
once speaker-demo.onnx run train_speaker --pool "$work/speakers.npz" "${few[@]}"
rm -rf "$work/unfinished"

run evaluate speech --model "$work/whisper-demo" --quick
run evaluate speakers --model "$work/speaker-demo.onnx" "${measure[@]}"
echo "To ship these models instead of those in demo/models:"
echo "  $python -m demo.training.pack --speech $work/whisper-demo --speaker $work/speaker-demo.onnx --out demo/models"
