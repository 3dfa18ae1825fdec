# The importer as a container: a small image without build tools, a user without rights, a root that is never written to.
#
#   docker build -t importer .                          the model is fetched from its hub at the first start
#   docker build -t importer --build-arg WITH_MODEL=1 . the model is inside; no network is needed to start
#
# A package mirror: --build-arg PIP_INDEX_URL=…, or PIP_EXTRA_INDEX_URL, PIP_TRUSTED_HOST, PIP_CERT (a path in the base
# image). They count while building and are not kept. Works with BuildKit and without.
# No registry for the base image: deploy/base-image makes a stand-in here. Where there is one, name it by its digest:
# --build-arg BASE=python:3.11-slim-bookworm@sha256:…   (`docker buildx imagetools inspect` of the tag tells it)
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ARG WITH_MODEL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# From the package mirror in the base image's own apt settings.
RUN apt-get update -q && apt-get install -q -y --no-install-recommends tini
# Two environments: /build has pip, /opt/importer is what is kept. Dependencies come first, so that a change of the code
# does not fetch them again; packages are compiled now, because the root cannot be written to later.
RUN python -m venv /build && python -m venv --without-pip /opt/importer
# Every package by the digest of its file (deploy/lock writes the lists), what builds ours too.
COPY deploy/requirements.lock deploy/requirements-build.lock deploy/sbom /deploy/
RUN /build/bin/pip install --require-hashes -r /deploy/requirements-build.lock \
    && /build/bin/pip --python /opt/importer/bin/python install --no-compile --require-hashes -r /deploy/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY importer /src/importer
RUN /build/bin/pip wheel --no-deps --no-build-isolation -w /wheels /src \
    && /build/bin/pip --python /opt/importer/bin/python install --no-compile --no-deps /wheels/*.whl \
    && python /deploy/sbom /opt/importer/lib/python3.11/site-packages > /opt/importer/sbom.cdx.json
# Half of what the packages bring is never run: their tests, headers, type stubs, sources of other languages.
RUN cd /opt/importer/lib/python3.11/site-packages \
    && rm -rf onnxruntime/transformers/models \
    && find . -type d \( -name tests -o -name include \) -prune -exec rm -rf {} + \
    && find . -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.proto' -o -name '*.a' \) -delete \
    && python -m compileall -q -j 0 -x '/(lib2to3|bad_)' /opt/importer/lib
RUN mkdir -p /opt/importer/models \
    && if [ -n "${WITH_MODEL}" ]; then \
      PATH="/build/bin:$PATH" IMPORTER_MODEL_DIR=/opt/importer/models \
      /opt/importer/bin/importer --state-dir /tmp/state model fetch; fi \
    && chmod -R a+rX /opt/importer

FROM ${BASE}
ARG WITH_MODEL=
# pip comes with the base image; the importer does not use it. 1000 is the first user of most machines, who owns the
# conversations; another one is chosen with --user. /state is open to all, as /tmp is, so that a new volume is: the state
# is a folder in it that its user makes, closed to all others, for one that others can write to is refused.
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip* \
      /usr/lib/python3/dist-packages/* /usr/lib/python3.11/ensurepip /usr/share/python-wheels \
    && echo 'importer:x:1000:1000::/home/importer:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'importer:x:1000:' >> /etc/group \
    && mkdir -p /home/importer /state && chmod 755 /home/importer && chmod 1777 /state
COPY --from=build /usr/bin/tini /usr/bin/tini
COPY --from=build /opt/importer /opt/importer
ENV PATH=/opt/importer/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/home/importer \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    IMPORTER_STATE_DIR=/state/importer \
    IMPORTER_MODEL_DIR=${WITH_MODEL:+/opt/importer/models}
USER 1000:1000
WORKDIR /home/importer
VOLUME /state
# SIGTERM drains and commits what is in flight, in at most daemon.grace_s (20 s); --stop-timeout must be longer.
STOPSIGNAL SIGTERM
# A restart policy looks at exits alone, so a daemon that is stuck ends itself; this is for people who look at the list.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-P", "-m", "importer.service.health"]
# The kernel gives process 1 no default signal handlers and every orphan inside: without tini a stop in the first instant
# would be lost, and an orphan would stay a zombie. It adopts orphans with --init, too, where it is not process 1 (-s).
ENTRYPOINT ["tini", "-s", "--", "importer"]
CMD ["run"]
