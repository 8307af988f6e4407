"""The gateway's application: its routes, and what they share opened and closed."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from aiohttp import web

from darkroom.contracts.defects import Enhancer
from gateway import about, routes
from gateway.addresses import Addresses
from gateway.admission import Admission
from gateway.answering import LEAVING, METRICS, answer
from gateway.cache import open_store
from gateway.calm import CALM, Calm
from gateway.capacity import Capacity
from gateway.enhancing import Enhancing
from gateway.jobs.front import add_jobs
from gateway.keys import ADMISSION, CAPACITY, ENHANCING, PROBE, RESULTS, SERVERS, SETTINGS, SHARING
from gateway.metrics import Metrics
from gateway.model_server import ModelServer
from gateway.page import page_routes
from gateway.planning import Costs
from gateway.probes import probing
from gateway.readiness import Probe
from gateway.replica_metrics import ReplicaMetrics
from gateway.replicas import Replicas
from gateway.results import Results
from gateway.settings import Settings
from gateway.sharing import Sharing
from gateway.votes.front import add_votes
from gateway.wire import Wire


def create_app(settings: Settings) -> web.Application:
    """Build the gateway. It connects to nothing before the first request."""
    app = web.Application(middlewares=[answer])
    app[SETTINGS] = settings
    app[ADMISSION] = Admission(settings.max_in_flight, settings.max_held_bytes)
    app[CALM] = Calm()
    app[METRICS] = Metrics()
    app[SHARING] = Sharing(settings.shared_folder, settings.shared_bytes)
    app[LEAVING] = asyncio.Event()
    app[METRICS].in_flight.set_function(lambda: app[ADMISSION].in_flight)
    app[METRICS].held_bytes.set_function(lambda: app[ADMISSION].held_bytes)
    app.add_routes(routes.routes)
    app.add_routes(about.routes)
    app.add_routes(page_routes(settings.page_dir))
    app.cleanup_ctx.append(_shared_folder)
    app.cleanup_ctx.append(_model_servers)
    app.cleanup_ctx.append(_results)
    add_jobs(app, settings, app[ADMISSION], app[METRICS].registry)
    add_votes(app)
    return app


async def _shared_folder(app: web.Application) -> AsyncIterator[None]:
    with app[SHARING].opened():
        yield


async def _model_servers(app: web.Application) -> AsyncIterator[None]:
    """One session to all model servers; its pool keeps their connections alive."""
    settings = app[SETTINGS]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=settings.max_in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # each call is bounded by its budget
        auto_decompress=False,
        # TorchServe hands each header on to its worker, who reads it in four pieces.
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        read_bufsize=1 << 20,
    ) as session:

        def replicas(name: str, urls: str) -> Replicas:
            def edge(url: str) -> ModelServer:
                wire = Wire(name, url, session, settings.reply_limit_bytes)
                return ModelServer(name, wire, app[SHARING], app[METRICS].observe_hop)

            addresses = Addresses(name, urls, settings.replicas_file)
            return Replicas(addresses, edge, partial(probing, name), settings.replica_depth)

        servers = {name: replicas(name, urls) for name, urls in settings.model_server_urls.items()}
        enhancers = {e: servers[e] for e in Enhancer if e in servers}
        app[SERVERS] = servers
        app[METRICS].registry.register(ReplicaMetrics(servers.values()))
        app[ENHANCING] = Enhancing(servers["defects"], enhancers, Costs())
        app[PROBE] = Probe(servers)
        watching = [asyncio.create_task(server.discovery.watch()) for server in servers.values()]
        yield
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _results(app: web.Application) -> AsyncIterator[None]:
    """What can be taken on, and what need not be done again."""
    settings, servers = app[SETTINGS], app[SERVERS]
    store = open_store(settings.redis_url, settings.cache_bytes, settings.cache_ttl_s)
    app[CAPACITY] = Capacity(servers)
    app[RESULTS] = Results(store, servers, app[CAPACITY], app[SHARING])
    yield
    if store is not None:
        await store.close()
