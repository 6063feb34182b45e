"""Train the speaker embedding on invented speakers (variant, pitch, vocal tract) and write ONNX.

    python -m demo.training.train_speaker --pool pools/speakers.npz --out speaker-demo.onnx

The loss is an additive-margin softmax over the training speakers (Wang et al. 2018,
"Additive Margin Softmax for Face Verification").
"""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.training.speaker_net import DIMENSIONS, SpeakerNet, onnx_difference, write_onnx
from demo.training.speaker_windows import SpeakerWindows

SCALE, MARGIN = 24, 0.2
MARGIN_GROWS = 0.4  # of all steps; the full margin from the start would not train
WINDOWS_PER_STEP = 64
REPORT_STEPS = 200


class Trainer:
    """The network and one trainable centre for each speaker of the pool."""

    def __init__(self, pool: Path, steps: int, seed: int) -> None:
        self.steps, self.windows = steps, SpeakerWindows(pool, seed)
        self.net = SpeakerNet()
        self.centres = nn.Parameter(torch.randn(self.windows.speakers, DIMENSIONS))
        trained = [*self.net.parameters(), self.centres]
        self.optimizer = torch.optim.AdamW(trained, lr=2e-3, weight_decay=0.02)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, 3e-3, total_steps=steps, pct_start=0.1
        )

    def _loss(self, cosines: Tensor, speakers: Tensor, number: int) -> Tensor:
        margin = MARGIN * min(1, number / (MARGIN_GROWS * self.steps))
        right = functional.one_hot(speakers, self.windows.speakers)
        return functional.cross_entropy(SCALE * (cosines - margin * right), speakers)

    def step(self, number: int) -> tuple[float, float]:
        """One step; its loss and the share of windows nearest to their own center."""
        mel, speakers = self.windows.batch(WINDOWS_PER_STEP)
        cosines = functional.normalize(self.net(mel)) @ functional.normalize(self.centres).T
        loss = self._loss(cosines, speakers, number)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item(), (cosines.argmax(1) == speakers).float().mean().item()


def train(pool: Path, out: Path, steps: int, seed: int) -> None:
    """Train from nothing and write the network."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    trainer, started = Trainer(pool, steps, seed), time.monotonic()
    recent: list[tuple[float, float]] = []
    for number in range(1, steps + 1):
        recent.append(trainer.step(number))
        if number % REPORT_STEPS == 0:
            loss, right = (sum(column) / len(recent) for column in zip(*recent, strict=True))
            seconds = time.monotonic() - started
            print(f"{number}/{steps} {seconds:.0f}s loss={loss:.3f} right={right:.3f}", flush=True)
            recent = []
    write_onnx(trainer.net, out)
    print(f"{out}: differs from torch by {onnx_difference(trainer.net, out):.1e} at most")


def main() -> None:
    """Train on the pool that the command line names."""
    parser = argparse.ArgumentParser(description="Train the speaker embedding.")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    train(options.pool, options.out, options.steps, options.seed)


if __name__ == "__main__":
    main()
