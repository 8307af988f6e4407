"""The judgement of the defect classifier on what is known of a frame, once its trunk is trained.

With the trunk frozen a photo has to be looked at once only; the dense layers behind it then go over
thousands of them again and again, which the training of the trunk has no time for.
"""

import torch.nn.functional as F
from torch import Tensor

from darkroom.networks.defects import DefectNetwork
from training.loop import fit
from training.samples import severity_loss

EPOCHS, BATCH, RATE, DECAY = 25, 128, 1.5e-3, 2e-2


def train_judgement(network: DefectNetwork, facts: Tensor, truth: Tensor, tilt: Tensor) -> float:
    """Fit all of the frame's half but the trunk; returns the last epoch's mean loss.

    facts (N, 462) as `find_facts` gives them, truth (N, 6) severities, tilt (N,) signed.
    """
    network.fact_mean.copy_(facts.mean(dim=0))
    network.fact_spread.copy_(facts.std(dim=0) + 1e-2)
    parts = (network.branches, network.frame, network.frame_head, network.tilt_head)

    def loss_of(index: Tensor) -> Tensor:
        frame = network.judge_facts(facts[index])
        turned = network.tilt_head(frame)[:, 0]
        loss = severity_loss(network.frame_head(frame), truth[index])
        return loss + F.smooth_l1_loss(turned, tilt[index], beta=0.1)

    network.train()  # with dropout
    mean = fit(parts, loss_of, len(truth), EPOCHS, BATCH, RATE, DECAY)
    network.eval()
    return mean
