"""All nine defects made on purpose: seeded, graded, with the true severities."""

from training.degradations.recipe import Degraded, Recipe, degrade, degrade_light, draw_recipe

__all__ = ["Degraded", "Recipe", "degrade", "degrade_light", "draw_recipe"]
