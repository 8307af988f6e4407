# `--target service`: the image of the gateway and of the job worker. `--target load` adds what the
# load test needs.
# Another image with Python 3.11 and pip does as well, such as a mirror's.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS packages
# pip stays outside of the environment: the service has no use for it.
ENV PATH=/opt/venv/bin:$PATH \
    PIP_PYTHON=/opt/venv PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv --without-pip /opt/venv
WORKDIR /src
COPY requirements/gateway.txt requirements/jobs.txt requirements/
# The wheel with PostgreSQL is for machines without containers.
RUN sed -i /pgserver/d requirements/jobs.txt \
    && pip install -r requirements/gateway.txt -r requirements/jobs.txt
# The project's name and version; its modules come later.
COPY pyproject.toml README.md ./
RUN pip install --no-deps --no-build-isolation .

FROM packages AS service
RUN useradd --uid 10001 --no-create-home darkroom \
    && install -d -o darkroom -g darkroom -m 700 /var/lib/darkroom
WORKDIR /app
COPY darkroom darkroom
COPY gateway gateway
RUN python -m compileall -q darkroom gateway
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
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9000/healthz', timeout=3)"]
CMD ["python", "-m", "gateway"]

FROM service AS load
USER root
COPY requirements/dev.txt /src/requirements/
RUN pip install --constraint /src/requirements/dev.txt \
    locust opencv-python-headless pillow pooch scikit-image simplejpeg
COPY benchmark benchmark
USER darkroom
HEALTHCHECK NONE
CMD ["locust", "-f", "benchmark/locustfile.py", "--headless", "--host", "http://gateway:9000"]
