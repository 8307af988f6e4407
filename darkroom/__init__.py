"""Darkroom finds what is wrong with a photo and mends it within one second."""
