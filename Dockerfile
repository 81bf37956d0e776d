# Sayso in a container: docker build -t sayso . ; the README says how to run it
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 sayso && install -d -o sayso /sayso /data
WORKDIR /sayso
USER 1000
# the requirements first: a change of the program does not install them again; a container has no NVIDIA card unless it is given one
COPY --chown=1000 install.py requirements.txt requirements.lock ./
ARG SAYSO_TORCH=cpu
RUN python install.py --locked && rm -rf /home/sayso/.cache
ARG SAYSO_EXTRAS=
COPY --chown=1000 requirements-extras requirements-extras
RUN for extra in $SAYSO_EXTRAS; do .venv/bin/python -m pip install --no-cache-dir -r requirements-extras/$extra.txt; done
COPY --chown=1000 . .
ENV SAYSO_HOME=/data SAYSO_CACHE=/data/cache PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=20s --timeout=5s --start-period=60s \
    CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT [".venv/bin/python", "app.py"]
CMD ["serve", "--host", "0.0.0.0"]
