import torch

from darkroom.networks.trunk import SameConv, Trunk, load_imagenet


def test_shape_and_stride():
    """Features are a sixteenth of the picture after five stages."""
    trunk = Trunk(stages=5)

    features = trunk(torch.zeros((2, 64, 96, 3), dtype=torch.uint8))

    assert trunk.stride == 16
    assert features.shape == (2, trunk.channels, 4, 6)


def test_pretrained_convolutions_are_taken_in_order():
    """Every convolution gets the kernel and bias that stand at its place in the file."""
    trunk = Trunk(stages=2)
    convolutions = [layer for layer in trunk.modules() if isinstance(layer, SameConv)]
    state = {}
    for index, layer in enumerate(convolutions):
        state[f"features.{index}.weight"] = torch.full_like(layer.weight, index)
        state[f"features.{index}.bias"] = torch.full((layer.out_channels,), float(-index))

    load_imagenet(trunk, state)

    assert [layer.weight.mean().item() for layer in convolutions] == list(range(len(convolutions)))
    assert all(
        layer.bias is not None and layer.bias.mean().item() == -index
        for index, layer in enumerate(convolutions)
    )
