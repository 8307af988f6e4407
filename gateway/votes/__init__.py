"""Votes: people say which of two versions of a photo is better.

Rows and bytes lie where those of jobs do, and so does the way to them: `gateway.jobs.front` checks
the session and opens the service at the first request that needs it.
"""
