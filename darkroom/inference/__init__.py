"""From what is seen of a photo to what is to be done: networks as they serve.

On a processor OpenVINO runs them, converted ahead of time, and torch is not even imported: that
spares a model server 3 s of its start and 200 MB. `darkroom.networks` has the networks themselves.
"""
