# The image of the gateway and of the job worker; `--target load` adds what the load test needs.
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The project's own metadata and what it needs, at the locked versions; its modules come later.
COPY pyproject.toml README.md ./
COPY requirements/dev.txt requirements/
RUN pip install --constraint requirements/dev.txt ".[gateway,jobs]"

FROM packages AS service
RUN useradd --uid 10001 --no-create-home darkroom \
    && install -d -o darkroom -g darkroom -m 700 /var/lib/darkroom
WORKDIR /app
COPY darkroom darkroom
COPY gateway gateway
# The page, if it has been built (`make page`); the file beside it is there in any case.
COPY web web
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    DARKROOM_HOST=0.0.0.0 \
    DARKROOM_PAGE_DIR=/app/web/dist \
    DARKROOM_DATA_FOLDER=/var/lib/darkroom
USER darkroom
EXPOSE 9000
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9000/healthz', timeout=3)"]
CMD ["python", "-m", "gateway"]

FROM service AS load
USER root
COPY requirements/dev.txt /src/requirements/
RUN pip install --constraint /src/requirements/dev.txt locust
COPY benchmark benchmark
USER darkroom
HEALTHCHECK NONE
CMD ["locust", "-f", "benchmark/locustfile.py", "--headless", "--host", "http://gateway:9000"]

FROM service
