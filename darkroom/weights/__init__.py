"""DeOldify's official weights: fetched on request, checked, and converted for Darkroom."""
