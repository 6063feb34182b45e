"""Recordings as optimized audio, and job folders for them on disk, for bench/worker_ways.py."""

import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 16_000


class Bucket:
    """Job folders on disk, and requests for them."""

    def __init__(self, root: Path) -> None:
        from escriba.settings import load_settings  # noqa: PLC0415
        from resources.storage import open_storage  # noqa: PLC0415

        self._storage = open_storage(load_settings(storage_url=root.as_uri()))

    def request(self, path: Path) -> Any:  # noqa: ANN401  # JobRequest
        """A job of its own for an audio file, beside which its speech lies."""
        from gpu_job.common.audio import sha256_of  # noqa: PLC0415
        from gpu_job.contract import (  # noqa: PLC0415
            Address,
            JobAddresses,
            JobOptions,
            JobRequest,
            SpeechRegion,
        )

        job = secrets.token_hex(32)
        spans = json.loads(path.with_suffix(".json").read_text())

        def at(name: str, permission: Any) -> Any:  # noqa: ANN401
            return self._storage.address(f"{job}/{name}", permission, timedelta(hours=1))

        return JobRequest(
            job=job,
            attempt=1,
            nonce="n",
            options=JobOptions(model="demo", diarizer="none"),
            regions=tuple(SpeechRegion(start_ms=low, end_ms=high) for low, high in spans),
            audio_ms=max(high for _, high in spans),
            audio_sha256=sha256_of(path),
            model_revision="demo",
            addresses=JobAddresses(
                audio=Address(method="GET", url=path.absolute().as_uri()),
                result_read=at("result.json", "read"),
                result_create=at("result.json", "create"),
                claim_read=at("claim-1.json", "read"),
                claim_create=at("claim-1.json", "create"),
                claim_beat=at("claim-1.json", "write"),
                partial_write=at("partial-1.json", "write"),
            ),
        )

    def result(self, request: Any) -> bytes:  # noqa: ANN401
        """What the worker wrote."""
        from gpu_job.contract.packing import unpacked  # noqa: PLC0415

        return unpacked(self._storage.read(f"{request.job}/result.json") or b"")


def decoded(path: Path) -> Any:  # noqa: ANN401
    import av  # noqa: PLC0415

    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        blocks = [
            block.to_ndarray()
            for frame in (*container.decode(audio=0), None)
            for block in resampler.resample(frame)
        ]
    return np.concatenate(blocks, axis=1)


def write(path: Path, blocks: Iterable[Any]) -> None:
    import av  # noqa: PLC0415

    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        for block in _pieces(blocks):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "s16", "mono")
            frame.sample_rate = RATE_HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pieces(blocks: Iterable[Any]) -> Iterator[Any]:
    for block in blocks:
        for first in range(0, block.shape[1], RATE_HZ * 60):
            yield block[:, first : first + RATE_HZ * 60]
