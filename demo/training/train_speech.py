"""Train the tiny Whisper on a speech pool; README.md has the six commands in order.

    python -m demo.training.train_speech --pool pools/speech.npz --stage encoder --out encoder.pt

Two CPU cores are enough, because espeak tells when every word is spoken: the encoder gets labels
for every 20 ms, one attention head of each decoder layer is told where to look, and only the later
stages pay for windows of 30 s.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed, multiprocessing, nn

from demo.training.attention import HEADS, WIDTH
from demo.training.batches import Mixer, Mixture
from demo.training.losses import Loss, losses
from demo.training.stages import STAGES, batch_shape, learning_rate
from demo.training.whisper_model import LAYERS, TinyWhisper, Weights, deepen, is_deep

REPORT_STEPS, SAVE_STEPS = 25, 100


@dataclass(frozen=True)
class Run:
    """One call of the trainer; `stop` leaves the stage early, as if its schedule went on."""

    stage: str
    pool: Path
    init: Path | None
    out: Path
    steps: int
    stop: int | None
    peak_rate: float
    mixture: Mixture
    workers: int
    port: int
    seed: int


class Progress:
    """Prints the mean of each loss every 25 steps."""

    def __init__(self, steps: int) -> None:
        self.steps, self.started, self.sums = steps, time.monotonic(), {}

    def add(self, step: int, loss: Loss) -> None:
        """Take in one step."""
        for name, value in [*loss.parts.items(), ("right", torch.tensor(loss.accuracy))]:
            self.sums[name] = self.sums.get(name, 0.0) + value.item()
        if step % REPORT_STEPS and step != self.steps:
            return
        count = step % REPORT_STEPS or REPORT_STEPS
        means = " ".join(f"{name}={total / count:.3f}" for name, total in self.sums.items())
        seconds = time.monotonic() - self.started
        print(f"{step}/{self.steps} {seconds:.0f}s {means}", flush=True)
        self.sums = {}


def _start_weights(run: Run) -> Weights | None:
    if run.init is None:
        return None
    weights = torch.load(run.init, weights_only=True)["model"]
    return deepen(weights) if STAGES[run.stage].deep and not is_deep(weights) else weights


def _build(run: Run, mixer: Mixer) -> TinyWhisper:
    vocabulary = mixer.vocabulary
    phones, words = len(vocabulary.phones) + 1, len(vocabulary.words) + 1
    layers = LAYERS + 1 if STAGES[run.stage].deep else LAYERS
    model = TinyWhisper(len(vocabulary.ids), phones, words, layers)
    if weights := _start_weights(run):
        model.load_state_dict(weights)
    return model


def _share(parameters: list[nn.Parameter], workers: int) -> None:
    """Replace every worker's gradients by the mean of all."""
    flat = torch.cat([p.grad.flatten() for p in parameters])
    distributed.all_reduce(flat)
    pieces = flat.split([p.numel() for p in parameters])
    for parameter, gradient in zip(parameters, pieces, strict=True):
        parameter.grad.copy_(gradient.view_as(parameter) / workers)


class Trainer:
    """One worker's model, optimizer and batches."""

    def __init__(self, run: Run, rank: int) -> None:
        self.run, self.stage = run, STAGES[run.stage]
        self.mixer = Mixer(run.pool, run.seed * 100 + rank, run.mixture)
        self.model = _build(run, self.mixer)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-3, weight_decay=0.01, betas=(0.9, 0.98), fused=True
        )

    def step(self, number: int) -> Loss:
        """One step on one batch, with the other workers' gradients."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.run.peak_rate, number, self.run.steps)
        windows, seconds, full = batch_shape(self.stage, number)
        batch = self.mixer.batch(windows, seconds, full=full)
        loss = losses(self.model, batch, encoder_only=self.stage.encoder_only)
        self.optimizer.zero_grad()
        loss.total().backward()
        trained = [p for p in self.model.parameters() if p.grad is not None]
        if self.run.workers > 1:
            _share(trained, self.run.workers)
        nn.utils.clip_grad_norm_(trained, 1.0)
        self.optimizer.step()
        self.model.hold_constant()
        return loss

    def save(self) -> None:
        """Write the checkpoint that `--init` and the export read."""
        checkpoint = {
            "model": self.model.state_dict(),
            "ids": self.mixer.vocabulary.ids,
            "D": WIDTH,
            "heads": HEADS,
            "layers": LAYERS,
            "decoder_layers": len(self.model.decoder.layers),
        }
        torch.save(checkpoint, self.run.out)

    def describe(self) -> str:
        """One line on sizes."""
        vocabulary = self.mixer.vocabulary
        weights = sum(p.numel() for p in self.model.parameters())
        return (
            f"{len(vocabulary.ids)} tokens, {len(vocabulary.words)} words, "
            f"{len(vocabulary.phones)} phones, {weights} weights"
        )


def train(rank: int, run: Run) -> None:
    """Train as worker `rank` of `run.workers`; worker 0 reports and saves."""
    torch.set_num_threads(1)
    torch.manual_seed(run.seed)
    if run.workers > 1:
        meeting = f"tcp://127.0.0.1:{run.port}"
        distributed.init_process_group(
            "gloo", init_method=meeting, rank=rank, world_size=run.workers
        )
    trainer, progress = Trainer(run, rank), Progress(run.steps)
    last = min(run.stop or run.steps, run.steps)
    if rank == 0:
        print(trainer.describe(), flush=True)
    for step in range(1, last + 1):
        loss = trainer.step(step)
        if rank == 0:
            progress.add(step, loss)
            if step % SAVE_STEPS == 0 or step == last:
                trainer.save()


def _parser() -> argparse.ArgumentParser:
    mixture = Mixture()
    parser = argparse.ArgumentParser(description="Train one stage of the tiny Whisper.")
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="checkpoint of the stage before")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="length of the schedule")
    parser.add_argument("--stop", type=int, help="leave the schedule at this step")
    parser.add_argument("--lr", type=float, help="highest learning rate")
    parser.add_argument("--english", type=float, default=mixture.english)
    parser.add_argument("--prompts", type=float, default=mixture.prompts)
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--port", type=int, default=29517, help="where workers meet on loopback")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def main() -> None:
    """Train the stage that the command line asks for."""
    options = _parser().parse_args()
    stage = STAGES[options.stage]
    run = Run(
        stage=options.stage,
        pool=options.pool,
        init=options.init,
        out=options.out,
        steps=options.steps or stage.steps,
        stop=options.stop,
        peak_rate=options.lr or stage.peak_rate,
        mixture=Mixture(options.english, options.prompts),
        workers=options.workers,
        port=options.port,
        seed=options.seed,
    )
    run.out.parent.mkdir(parents=True, exist_ok=True)
    if run.workers > 1:
        multiprocessing.spawn(train, (run,), nprocs=run.workers)
    else:
        train(0, run)


if __name__ == "__main__":
    main()
