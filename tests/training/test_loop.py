import cv2
import torch

from training.loop import make_repeatable


def test_repeatable_training_draws_the_same_numbers_on_one_thread():
    """Another seed draws others."""
    threads = torch.get_num_threads(), cv2.getNumThreads()
    drawn = []
    for seed in (0, 0, 1):
        make_repeatable(seed)
        drawn.append(torch.rand(4).tolist())
    now = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])

    assert drawn[0] == drawn[1] != drawn[2]
    assert now == (1, 1)
