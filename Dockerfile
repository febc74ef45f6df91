# The image of every command: `docker build -t regulars .`, then `docker run regulars --help`.
# Python 3.11, which requirements.lock was resolved on.

FROM python:3.11-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock ./
# Everything that is pinned, by its hash; what a server needs of it is chosen below, from these files alone.
RUN pip wheel --require-hashes --requirement requirements.lock --wheel-dir pinned
COPY pyproject.toml README.md LICENSE ./
COPY aggregates aggregates
COPY projections projections
COPY models models
COPY infra infra
COPY streams streams
RUN python -m venv tools \
    && tools/bin/pip install --no-index --find-links pinned hatchling \
    && tools/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir made . \
    && python -m venv /regulars \
    && /regulars/bin/pip install --no-index --find-links pinned made/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /srv/regulars --create-home regulars \
    && install --directory --owner=10001 --mode=0700 /srv/rejects
COPY --from=build /regulars /regulars
ENV PATH=/regulars/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 REGULARS_HOME=/srv/regulars
USER 10001
WORKDIR /srv/regulars
# A process that serves metrics is asked for its health; any other is healthy while it runs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import os; from urllib.request import urlopen; port = os.environ.get('REGULARS_METRICS_PORT'); port and urlopen(f'http://127.0.0.1:{port}/healthz', timeout=4)"]
ENTRYPOINT ["regulars"]
CMD ["--help"]
