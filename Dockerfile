# The gateway as an image. By default a dry-run: no Meta account, no secrets. docs/deploy.md says how to go live.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN /opt/venv/bin/pip install --require-hashes --no-deps -r requirements.txt

FROM ${PYTHON_IMAGE} AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WATS_DATA_DIR=/var/lib/wats \
    WATS_HOST=0.0.0.0
RUN groupadd --gid 10001 wats \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin wats \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/wats
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY config ./config
COPY deploy/healthcheck.py ./deploy/
COPY wsgi.py gunicorn.conf.py ./
COPY app ./app
USER 10001:10001
VOLUME /var/lib/wats
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
CMD ["flask", "wats", "serve", "--dry-run"]
