"""The training loop that all networks share: a time budget, a cosine schedule, checkpoints."""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn

Batch = Any
CHECKPOINT = "checkpoint.pt"


@dataclass
class Progress:
    """What a run has seen so far; kept in its checkpoint, so that it goes on where it stopped."""

    step: int = 0
    seconds: float = 0.0
    # (step, mean loss since the last) and (step, validation score)
    losses: list[tuple[int, float]] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)


def make_repeatable(seed: int = 0) -> None:
    """Draw the same numbers in each run, and compute on one thread, which sums in one order."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def train(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Iterator[Batch],
    loss_of: Callable[[Batch], Tensor],
    validate: Callable[[], float],
    minutes: float,
    run: Path,
) -> Progress:
    """Train for `minutes` of wall time; the learning rate falls to zero over them by a cosine.

    A checkpoint is written into the folder `run` every two minutes and resumed from where there is
    one. `validate` returns one score, lower is better, and is called ten times.
    """
    run.mkdir(parents=True, exist_ok=True)
    progress = _resume(run, network, optimiser)
    peaks = [group.setdefault("peak", group["lr"]) for group in optimiser.param_groups]
    budget, began, earlier = 60 * minutes, time.monotonic(), progress.seconds
    saved_at, pending, counted = earlier, torch.zeros(()), 0
    while progress.seconds < budget:
        share = progress.seconds / budget
        warm = min(1.0, (progress.step + 1) / 100)
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * warm * 0.5 * (1 + math.cos(math.pi * share))
        loss = loss_of(next(batches))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        progress.step += 1
        pending += loss.detach().to(pending.device)
        counted += 1
        progress.seconds = earlier + time.monotonic() - began
        if progress.step % 50 == 0:
            progress.losses.append((progress.step, float(pending) / counted))
            pending.zero_()
            counted = 0
            print(
                f"step {progress.step}  {progress.seconds:.0f} s  {progress.losses[-1][1]:.4f}",
                flush=True,
            )
        if progress.seconds > budget * (len(progress.scores) + 1) / 10:
            network.eval()
            progress.scores.append((progress.step, validate()))
            network.train()
            print(f"validation {progress.scores[-1][1]:.4f}", flush=True)
        if progress.seconds - saved_at > 120 or progress.seconds >= budget:
            saved_at = progress.seconds
            _save(run, network, optimiser, progress)
    network.eval()
    return progress


def _resume(run: Path, network: nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
    """Fill both from the run's checkpoint, if there is one; how far it had come."""
    checkpoint = run / CHECKPOINT
    if not checkpoint.exists():
        return Progress()
    saved = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(saved["network"])
    optimiser.load_state_dict(saved["optimiser"])
    return Progress(**saved["progress"])


def _save(
    run: Path, network: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write the run's checkpoint, the last one or this one whole, and its progress to read."""
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "progress": vars(progress),
    }
    unfinished = run / f"{CHECKPOINT}.new"
    torch.save(state, unfinished)
    unfinished.replace(run / CHECKPOINT)
    (run / "progress.json").write_text(json.dumps(vars(progress)))


def fit(
    parts: tuple[nn.Module, ...],
    loss_of: Callable[[Tensor], Tensor],
    count: int,
    epochs: int,
    batch: int,
    rate: float,
    decay: float,
) -> float:
    """Fit dense layers to `count` measured photos; `loss_of` takes the indices of a batch.

    Returns the mean loss of the last epoch.
    """
    parameters = [parameter for part in parts for parameter in part.parameters()]
    optimiser = torch.optim.AdamW(parameters, rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    mean = 0.0
    for _ in range(epochs):
        losses = []
        for index in torch.split(torch.randperm(count), batch):
            loss = loss_of(index)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
        schedule.step()
        mean = sum(losses) / len(losses)
    return mean
