"""How much each way of bench/gpu_ways.py works on."""

from dataclasses import dataclass

from bench import gpu_models

WINDOW_S = 30
VOICES = 10


@dataclass(frozen=True)
class Size:
    """How much is worked on.

    windows: of 30 s, a multiple of every batch size.
    tokens: in each of them; 100 is what half a minute of speech has.
    compared: the batch size at which word times are left off too, as transformers leaves them.
    both: the windows of which the speakers are looked for too.
    rounds: of that, in alternating order.
    """

    windows: int
    tokens: int
    batches: tuple[int, ...]
    compared: int
    both: int
    shape: dict[str, int]
    device: str = "cuda"
    rounds: int = 2

    @property
    def audio_s(self) -> int:
        """Of all windows."""
        return self.windows * WINDOW_S


SIZES = {
    "full": Size(128, 100, (8, 16, 32, 64, 128), 32, 64, gpu_models.TURBO),
    "quick": Size(64, 100, (8, 32), 32, 32, gpu_models.TURBO, rounds=1),
    "tiny": Size(4, 20, (2, 4), 2, 1, gpu_models.TINY, "cpu", rounds=1),
}
