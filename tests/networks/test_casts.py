import torch

from darkroom.imaging.views import CHROMA, COLOURS, STATISTICS
from darkroom.networks.casts import CastNetwork

CHANNELS = 16


def test_cast_depends_on_all_that_is_told():
    """A logit and a light for each frame, moved by what is known and by the chroma alike."""
    torch.manual_seed(0)
    network = CastNetwork(CHANNELS).eval()
    known, chroma = torch.rand(2, CHANNELS + STATISTICS + COLOURS), torch.rand(2, *CHROMA)

    with torch.inference_mode():
        answer = network(known, chroma)
        others = [network(1 - known, chroma), network(known, chroma.flip(2))]

    assert answer.shape == (2, 3)
    assert not any(torch.allclose(answer, other, atol=1e-4) for other in others)
