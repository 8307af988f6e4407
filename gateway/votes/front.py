"""The routes of votes as the application knows them; see `gateway.jobs.front`."""

from aiohttp import web

from darkroom.contracts.votes import VOTES_ROUTE
from gateway.jobs.front import answered_by

ONE = f"{VOTES_ROUTE}/{{name}}"
ROUTES = (  # method, path, function in `gateway.votes.routes`
    ("POST", VOTES_ROUTE, "make"),
    ("GET", VOTES_ROUTE, "listing"),
    ("GET", ONE, "look"),
    ("DELETE", ONE, "delete"),
    ("PUT", f"{ONE}/versions", "upload"),
    ("GET", f"{ONE}/versions/{{id}}", "version"),
    ("GET", f"{ONE}/pairs", "pairs"),
    ("PUT", f"{ONE}/pairs/{{id}}", "cast"),
    ("GET", f"{ONE}/ballots", "ballots"),
)


def add_votes(app: web.Application) -> None:
    """Make the routes of votes part of an application that has those of jobs."""
    for method, path, name in ROUTES:
        app.router.add_route(method, path, answered_by("gateway.votes.routes", name))
