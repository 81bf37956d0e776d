# Sayso in a container: docker build -t sayso . ; the README says how to run it, deploy/compose.yaml puts Caddy before it
FROM python:3.13-slim AS built
WORKDIR /sayso
# the requirements first: a change of the program does not install them again; a container has no NVIDIA card unless it is given one
COPY install.py requirements.txt requirements.lock ./
ARG SAYSO_TORCH=cpu
RUN python install.py --locked

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 sayso && install -d -o sayso /data
WORKDIR /sayso
# what only root may write: a program that is led astray cannot change itself, and the root may be read-only
COPY --from=built /sayso/.venv .venv
COPY . .
USER 1000
ENV SAYSO_HOME=/data SAYSO_CACHE=/data/cache PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=5s CMD [".venv/bin/python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"SAYSO_PORT\", 7860)}/healthz', timeout=4)"]
ENTRYPOINT [".venv/bin/python", "app.py"]
CMD ["serve", "--host", "0.0.0.0"]
