import torch

from darkroom.networks.lite import LiteGenerator
from tests.rooms import draw_room
from training.colour_photos import as_square, stack
from training.critic import Critic, critic_loss
from training.perception import Perception
from training.polish_colorize import Duel, render_pool


def test_critic_learns_to_tell_grey_from_colour():
    """A few steps on one batch bring its loss below a coin's."""
    torch.manual_seed(0)
    critic = Critic(width=8)
    true = torch.rand(4, 3, 32, 32)
    grey = true.mean(dim=1, keepdim=True).expand_as(true)
    optimiser = torch.optim.Adam(critic.parameters(), 5e-3)
    for _ in range(10):
        loss = critic_loss(critic, true, grey)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    assert float(loss.detach()) < 0.6


def test_only_the_one_whose_turn_it_is_gets_a_gradient():
    """First the critic; once it is good enough the generator, once; then the critic again."""
    torch.manual_seed(0)
    squares = stack([as_square(draw_room(seed, 96, 64), 96, None) for seed in range(2)])
    duel = Duel(LiteGenerator(), Critic(width=8), Perception(), torch.ones(169))

    duel.loss_of(squares).backward()
    of_critic = [p.grad is not None for p in duel.critic.parameters()]
    untouched = [p.grad is None for p in duel.generator.parameters()]
    duel.zero_grad()
    duel.critics_turn = False
    duel.loss_of(squares).backward()

    assert all(of_critic)
    assert all(untouched)
    assert duel.generator.head.weight.grad is not None
    assert all(p.grad is None for p in duel.critic.parameters())
    assert duel.critics_turn


def test_pool_holds_true_and_coloured_pictures():
    """What the critic first learns from differs in colour alone."""
    squares = stack([as_square(draw_room(1, 96, 64), 64, None)])

    ((true, coloured),) = render_pool(LiteGenerator(), iter([squares]), 1)

    luma = torch.tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)
    assert true.shape == coloured.shape == (1, 3, 32, 32)
    assert ((true - coloured) * luma).sum(dim=1).abs().max() < 0.02
