#!/bin/sh
# Resolve every lock, with the hashes of all files of each version: `make lock`. Versions that stand
# in the old locks stay, unless pyproject.toml forbids them; delete a lock's line to raise that version.
set -eu
cd "$(dirname "$0")/.."
work=.venv-lock
printf 'escriba-gpu-job @ file://%s/gpu_job_image\nescriba @ file://%s\n' "$PWD" "$PWD" > $work/ours.txt
printf 'escriba-gpu-job[pyannote,runpod] @ file://%s/gpu_job_image\n' "$PWD" > $work/worker.txt

resolve() {  # FILE ARGUMENTS…: what is ours has no hash, and torch's CUDA packages follow torch
    output=$1; shift
    uv pip compile --quiet --no-annotate --no-header --override ${ours:-$work/ours.txt} --output-file "$output" \
        --no-emit-package escriba --no-emit-package escriba-gpu-job "$@"
}
everywhere="--universal --python-version 3.11"
project="pyproject.toml --extra costs --group build"

# one resolution for all environments of the orchestrator, so that a package has one version
cat requirements*.lock > $work/all.txt 2> /dev/null || true
# shellcheck disable=SC2086  # lists of arguments
resolve $work/all.txt $everywhere $project --extra launchers --group dev --group speech --group bench --group audit
sed -i.old 's/ *\\$//' $work/all.txt
# shellcheck disable=SC2086
{
    resolve requirements.lock $everywhere --generate-hashes -c $work/all.txt $project
    resolve requirements-launchers.lock $everywhere --generate-hashes -c $work/all.txt $project --extra launchers
    resolve requirements-dev.lock $everywhere --generate-hashes -c $work/all.txt $project --extra launchers --group dev
    resolve requirements-speech.lock $everywhere --generate-hashes -c $work/all.txt $project --group speech
    resolve requirements-bench.lock $everywhere --generate-hashes -c $work/all.txt $project --group bench
    resolve requirements-audit.lock $everywhere --generate-hashes -c $work/all.txt --group audit
}

image="--python-platform x86_64-manylinux_2_28 --python-version 3.12 --generate-hashes gpu_job_image/pyproject.toml"
# shellcheck disable=SC2086
{
    resolve gpu_job_image/image.lock $image --extra pyannote --extra runpod --extra cuda
    resolve gpu_job_image/image-light.lock $image --extra runpod --extra cuda
}

# the tests' worker takes torch from whichever index there is, with the CUDA packages of that build
# shellcheck disable=SC2086
ours=$work/worker.txt resolve gpu_job_image/worker.lock $everywhere --generate-hashes -c $work/all.txt \
    pyproject.toml --group build --group test
awk '/^[a-z]/ { keep = $0 !~ /^(torch==|triton==|cuda-|nvidia-c|nvidia-n[cv])/ } keep' gpu_job_image/worker.lock > $work/worker.lock
mv $work/worker.lock gpu_job_image/worker.lock
