"""Train the straightener: `python -m training.straighten`.

Every photo is looked at a few times, each time turned and pitched otherwise; the votes of its lines
are all that is kept, so the small network over them trains in a minute. Photos taken by hand are
tilted themselves: what the network then sees of the same photo in all its turns, less the turn, is
the photo's own tilt. It is added to the truth, and the network trained again. Writes
`model-store/weights/straighten.safetensors`; `python -m training.evaluate_straighten` fits the
confidence it takes and makes the report.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from darkroom.imaging.lines import find_lines
from darkroom.imaging.photo import Pixels
from darkroom.imaging.upright import ANGLES, count_votes
from darkroom.imaging.warp import apply_warp, plan_warp
from darkroom.inference.straighten import read_angle
from darkroom.networks.straighten import TiltNetwork
from darkroom.networks.weights import write_weights
from training.fine_tuning import DATA
from training.loop import fit, make_repeatable
from training.photos import TrainingPhotos, read_pixels, split_photos

WEIGHTS = Path("model-store/weights/straighten.safetensors")
LOOKS = 4  # at each photo
STEEPEST_DEGREES = 12.0  # a little beyond what is to be mended: the ends are no different
PITCH_SIGMA = 7.0  # degrees
EPOCHS, BATCH, RATE, DECAY = 10, 256, 1e-2, 1e-3
BLUR_DEGREES = 0.4  # of the truth: a miss by half a bin is none
OWN_DEGREES = 3.0  # nobody holds a camera more askew without meaning it
SURE = 0.5  # confidence from which a look tells of its photo's own tilt


@dataclass(frozen=True)
class Looks:
    """What is seen of N turned photos."""

    votes: Tensor  # (N, VOTES, 81)
    degrees: np.ndarray  # (N,) by which each was turned
    sources: list[str]  # whose they are
    mirrored: np.ndarray  # (N,) 1 as it was, -1 mirrored


def find_all(data: Path) -> TrainingPhotos:
    """List all photos under `data`, split by source: lines show in dark and tinted ones too."""
    return split_photos(data, lambda *_: True)


def tilt(pixels: Pixels, degrees: float, pitch_degrees: float) -> tuple[Pixels, float]:
    """The photo as a pitched and rolled camera takes it, and the roll that its upright lines show.

    The warp turns first and then pitches, which makes the roll a little larger than the turn.
    """
    warp = plan_warp(pixels.shape[1], pixels.shape[0], -degrees, -pitch_degrees)
    turn, pitch = np.radians([degrees, pitch_degrees])
    roll = np.arctan2(np.sin(turn), np.cos(turn) * np.cos(pitch))
    return apply_warp(pixels, warp), float(np.degrees(roll))


def look(paths: Sequence[Path], rng: np.random.Generator) -> Looks:
    votes, truth, sources, mirrored = [], [], [], []
    for path in paths:
        photo = read_pixels(path)
        for _ in range(LOOKS):
            mirror = rng.random() < 0.5
            pixels = _crop(photo[:, ::-1] if mirror else photo, rng)
            degrees = rng.uniform(-STEEPEST_DEGREES, STEEPEST_DEGREES) if rng.random() < 0.8 else 0
            pitch = rng.normal(0, PITCH_SIGMA) if rng.random() < 0.4 else 0.0
            pixels, roll = tilt(pixels, float(degrees), float(np.clip(pitch, -20, 20)))
            votes.append(torch.from_numpy(count_votes(find_lines(pixels))))
            truth.append(roll)
            sources.append(str(path))
            mirrored.append(-1 if mirror else 1)
    return Looks(torch.stack(votes), np.asarray(truth), sources, np.asarray(mirrored))


def kept_looks(kept: Path, paths: Sequence[Path]) -> Looks:
    """The looks of an earlier run where there are any: looking takes ten times the training."""
    if not kept.exists():
        looks = look(paths, np.random.default_rng(1))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            kept,
            votes=looks.votes.numpy(),
            degrees=looks.degrees,
            sources=np.asarray(looks.sources),
            mirrored=looks.mirrored,
        )
    with np.load(kept) as saved:
        votes = torch.from_numpy(saved["votes"]).float()
        return Looks(votes, saved["degrees"], saved["sources"].tolist(), saved["mirrored"])


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Three quarters of each side or more, anywhere."""
    height, width = pixels.shape[:2]
    h, w = (int(side * rng.uniform(0.75, 1)) for side in (height, width))
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    return np.ascontiguousarray(pixels[y : y + h, x : x + w])


def loss_of(network: TiltNetwork, votes: Tensor, degrees: Tensor) -> Tensor:
    """Cross entropy against the true angle, blurred: angles beside it are nearly as good."""
    distance = (torch.from_numpy(ANGLES).float() - degrees[:, None]) / BLUR_DEGREES
    return F.cross_entropy(network(votes), torch.softmax(-0.5 * distance.square(), dim=1))


def train(network: TiltNetwork, looks: Looks, degrees: np.ndarray) -> None:
    truth = torch.from_numpy(degrees).float()
    mean = fit(
        (network,),
        lambda index: loss_of(network, looks.votes[index], truth[index]),
        len(truth),
        EPOCHS,
        BATCH,
        RATE,
        DECAY,
    )
    print(f"loss {mean:.3f}", flush=True)


@torch.no_grad()
def own_tilts(network: TiltNetwork, looks: Looks) -> np.ndarray:
    """(N,) degrees by which each look's photo was tilted before we turned it; 0 where unknown."""
    seen = [
        read_angle(row) for part in torch.split(looks.votes, 1000) for row in network(part).numpy()
    ]
    beyond = defaultdict(list)
    for (degrees, confidence), turn, source, sense in zip(
        seen, looks.degrees, looks.sources, looks.mirrored, strict=True
    ):
        if confidence > SURE:
            beyond[source].append(sense * (degrees - turn))
    own: dict[str, float] = {}
    for source, tilts in beyond.items():
        middle = float(np.median(tilts))
        scatter = float(np.median(np.abs(np.asarray(tilts) - middle)))
        if len(tilts) >= LOOKS // 2 and abs(middle) < OWN_DEGREES and scatter < BLUR_DEGREES:
            own[source] = middle
    print(f"{len(own)} photos know their own tilt", flush=True)
    known = [own.get(source, 0.0) for source in looks.sources]
    return np.asarray(looks.mirrored * np.asarray(known))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="photos and their index")
    parser.add_argument("--run", type=Path, default=Path("runs/straighten"), help="the looks")
    arguments = parser.parse_args()
    make_repeatable()
    paths = find_all(arguments.data).training
    looks = kept_looks(arguments.run / "looks.npz", paths)
    print(f"{len(paths)} photos, {len(looks.sources)} looks", flush=True)
    network = TiltNetwork()
    train(network, looks, looks.degrees)
    train(network, looks, looks.degrees + own_tilts(network, looks))
    # A guess, until the evaluation fits it.
    write_weights(WEIGHTS, network, {"least_confidence": "0.8"})
    print(f"→ {WEIGHTS}")


if __name__ == "__main__":
    main()
