"""What all requests share, and the keys under which the application holds it."""

from aiohttp import web

from gateway.admission import Admission
from gateway.capacity import Capacity
from gateway.enhancing import Enhancing
from gateway.readiness import Probe
from gateway.replicas import Replicas
from gateway.results import Results
from gateway.settings import Settings
from gateway.sharing import Sharing

SETTINGS = web.AppKey("settings", Settings)
ADMISSION = web.AppKey("admission", Admission)
SERVERS = web.AppKey("servers", dict[str, Replicas])
CAPACITY = web.AppKey("capacity", Capacity)
SHARING = web.AppKey("sharing", Sharing)
ENHANCING = web.AppKey("enhancing", Enhancing)
RESULTS = web.AppKey("results", Results)
PROBE = web.AppKey("probe", Probe)
