"""Votes for those who make them: `darkroom votes new`, `list`, `report` and `delete`.

`report` and what it builds on need the extra `votes`; `darkroom votes report` alone loads them.
"""
