# The gateway as an image. By default a dry-run: no Meta account, no secrets. docs/deploy/docker.md says how to go
# live, and how to pin the base image.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
ARG EXTRA=""
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
COPY requirements.txt requirements-otel.txt ./
RUN pip install --prefix=/packages --no-compile --require-hashes --no-deps -r requirements.txt ${EXTRA:+-r "requirements-$EXTRA.txt"} \
    && find /packages -depth -type d \( -name tests -o -name test -o -name testing \) -exec rm -r {} + \
    && find /packages -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.pxd' \
        -o -name '*.pyx' -o -name '_yaml.*' \) -delete \
    && find /packages -name '*.so' -exec strip --strip-debug {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /packages -p /usr/local /packages
COPY wsgi.py gunicorn.conf.py /app/
COPY config/wats.config.yaml /app/config/
COPY deploy/healthcheck.py deploy/wats /app/deploy/
COPY app /app/app
# Start with SIGTERM blocked: for PID 1 the kernel drops it as long as there is no handler (app/startup/early_stop.py).
RUN sed -i '1s|^#!.*|#!/usr/bin/env -S --block-signal=TERM python3|' \
        /app/deploy/wats /packages/bin/flask /packages/bin/gunicorn \
    && python -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE} AS runtime
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip setuptools wheel \
    && library=$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') \
    && rm -rf "$library/ensurepip" \
    && python -m compileall -q --invalidation-mode unchecked-hash \
        -x '/(test|tests|distutils|idlelib|lib2to3|tkinter|turtledemo|pydoc_data|unittest)/' "$library" \
    && groupadd --gid 10001 wats \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin wats \
    && install --directory --owner=10001 --group=0 --mode=0770 /var/lib/wats
COPY --from=build /packages /usr/local
COPY --from=build /app /app
RUN ln -s /app/deploy/wats /usr/local/bin/wats \
    && ln -s /app/deploy/wats /usr/local/bin/serve \
    && ln -s /app/deploy/wats /usr/local/bin/worker \
    && ln -s /app/deploy/wats /usr/local/bin/db
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FLASK_APP=/app/wsgi.py \
    FLASK_SKIP_DOTENV=1 \
    WATS_MODE=dry-run \
    WATS_HOST=0.0.0.0 \
    WATS_DATA_DIR=/var/lib/wats \
    WATS_RUN_DIR=/tmp/wats-run
WORKDIR /app
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=300s --retries=3 \
    CMD ["python", "-I", "-S", "/app/deploy/healthcheck.py"]
CMD ["wats", "serve"]
ARG PYTHON_IMAGE
ARG VERSION=""
ARG REVISION=""
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="wats" \
    org.opencontainers.image.description="A self-hosted gateway to the WhatsApp Business Platform" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}" \
    org.opencontainers.image.base.name="${PYTHON_IMAGE}"
