"""Polish the trained colorizer adversarially: `python -m training.polish_colorize`.

In DeOldify's NoGAN manner: pictures are made once with the finished network, a critic learns to
tell them from true ones, then both go on together for a few minutes. Starts from the weights that
`training.colorize` wrote and writes them anew; keeps checkpoints of its own and resumes from them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from darkroom.networks.lite import LiteGenerator
from darkroom.networks.weights import read_weights, write_weights
from training.colorize import WEIGHTS, freeze
from training.colour_loss import (
    ANNEALED,
    content_loss,
    count_colours,
    halved,
    judge,
    measure,
    rarity_of,
    to_rgb,
    validation_squares,
)
from training.colour_photos import Squares, batches, find_colour_photos
from training.critic import GOOD_ENOUGH, Critic, critic_loss, persuasion_loss
from training.fine_tuning import DATA
from training.loop import make_repeatable, train
from training.perception import Perception, load_perception

SIDE, BATCH = 192, 8
POOL = 64  # batches of coloured pictures that the critic learns from at first
PERSUASION = 0.5  # weight of the critic beside the content loss
CRITIC_RATE, GENERATOR_RATE = 3e-4, 3e-5

Pictures = tuple[Tensor, Tensor]  # true and coloured, (N, 3, SIDE / 2, SIDE / 2)


def render(network: LiteGenerator, logits: Tensor, squares: Squares) -> Pictures:
    luma = halved(squares.luma)
    return to_rgb(luma, squares.chroma), to_rgb(luma, network.decide(logits, ANNEALED))


@torch.no_grad()
def render_pool(network: LiteGenerator, photos: Iterator[Squares], count: int) -> list[Pictures]:
    """Colour `count` batches, as NoGAN does before its critic learns."""
    network.eval()
    chosen = [next(photos) for _ in range(count)]
    return [render(network, judge(network, squares), squares) for squares in chosen]


def draw(pool: list[Pictures], rng: np.random.Generator) -> Iterator[Pictures]:
    while True:
        yield pool[int(rng.integers(len(pool)))]


class Duel(nn.Module):
    """Generator and critic in one module, for one loop: the loss is of the one whose turn it is."""

    def __init__(
        self, generator: LiteGenerator, critic: Critic, perception: Perception, rarity: Tensor
    ) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic
        self._judges = (perception, rarity)  # in a tuple: not part of the module's state
        self.critics_turn = True

    def loss_of(self, squares: Squares) -> Tensor:
        # Both gradients must not mix: the loop steps whoever has some.
        self.critic.requires_grad_(self.critics_turn)
        self.generator.eval()  # few steps of small batches would only blur the norms
        if self.critics_turn:
            with torch.no_grad():
                true, coloured = render(self.generator, judge(self.generator, squares), squares)
            loss = critic_loss(self.critic, true, coloured)
            self.critics_turn = loss.item() >= GOOD_ENOUGH
            return loss
        self.critics_turn = True
        logits = judge(self.generator, squares)
        _, coloured = render(self.generator, logits, squares)
        content = content_loss(self.generator, *self._judges, logits, squares)
        return content + PERSUASION * persuasion_loss(self.critic, coloured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--critic-minutes", type=float, default=3)
    parser.add_argument("--minutes", type=float, default=6, help="of generator and critic together")
    parser.add_argument("--run", type=Path, default=Path("runs/colorize"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    make_repeatable(1)
    device = torch.device(arguments.device)
    photos = find_colour_photos(arguments.data)
    network = LiteGenerator()
    notes = read_weights(arguments.weights, network)
    freeze(network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    critic = Critic().to(device)
    squares = batches(photos.training, SIDE, BATCH, 77, device)
    pool = render_pool(network, squares, POOL)
    alone = train(
        critic,
        torch.optim.AdamW(critic.parameters(), CRITIC_RATE),
        draw(pool[4:], np.random.default_rng(1)),
        lambda pictures: critic_loss(critic, *pictures),
        lambda: float(np.mean([float(critic_loss(critic, *p).detach()) for p in pool[:4]])),
        arguments.critic_minutes,
        arguments.run / "critic",
    )
    print(f"critic alone: {alone.step} steps, loss {alone.scores[-1][1]:.3f}")
    rarity = rarity_of(count_colours(photos.training[::4])).to(device)
    duel = Duel(network, critic, load_perception(arguments.data).to(device), rarity)
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": trained, "lr": GENERATOR_RATE},
        {"params": list(critic.parameters()), "lr": CRITIC_RATE},
    ]
    held_out = validation_squares(photos.validation, 48, SIDE)
    progress = train(
        duel,
        torch.optim.AdamW(groups, betas=(0.5, 0.9), weight_decay=1e-3),
        squares,
        duel.loss_of,
        lambda: measure(network, held_out, device),
        arguments.minutes,
        arguments.run / "polish",
    )
    write_weights(arguments.weights, network, {**notes, "polished": f"{progress.step} steps"})
    print(f"{progress.step} steps, {-progress.scores[-1][1]:+.2f} dB → {arguments.weights}")


if __name__ == "__main__":
    main()
