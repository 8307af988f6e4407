"""Whether a new version of a model server is at least as good as the one that serves now.

A newcomer whose version nobody serves yet is tried beside an established sibling: both get the same
photos, and what they make of them is compared before any client's photo comes to the newcomer.
"""
