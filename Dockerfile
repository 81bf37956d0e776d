# Sayso in a container: docker build -t sayso . ; the README says how to run it, deploy/compose.yaml puts Caddy before it
FROM python:3.13-slim AS built
WORKDIR /sayso
# the requirements first: a change of the program does not install them again; a container has no NVIDIA card unless it is given one
COPY install.py requirements.txt requirements.lock ./
ARG SAYSO_TORCH=cpu
RUN python install.py --locked && rm -rf /home/sayso/.cache
ARG SAYSO_EXTRAS=
COPY --chown=1000 requirements-extras requirements-extras
RUN for extra in $SAYSO_EXTRAS; do .venv/bin/python -m pip install --no-cache-dir -r requirements-extras/$extra.txt; done
COPY --chown=1000 . .
ENV SAYSO_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=20s --timeout=5s --start-period=60s \
    CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT [".venv/bin/python", "app.py"]
CMD ["serve", "--host", "0.0.0.0"]
