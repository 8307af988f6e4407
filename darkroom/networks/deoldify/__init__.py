"""DeOldify's generators (jantic/DeOldify, MIT, archived 2024), written anew in plain PyTorch.

Modules are named as in the official checkpoints, so these load strictly, key by key; `folding` then
turns the network into the same function with plain convolutions, which is what is served.
"""
