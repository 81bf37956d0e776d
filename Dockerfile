# Sayso in a container: docker build -t sayso . ; the README says how to run it
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 sayso && install -d -o sayso /sayso /data
WORKDIR /sayso
USER 1000
# the requirements first: a change of the program does not install them again; a container has no NVIDIA card unless it is given one
COPY --chown=1000 install.py requirements.txt requirements.lock ./
ARG SAYSO_TORCH=cpu
RUN python install.py --locked && rm -rf /home/sayso/.cache
COPY --chown=1000 . .
ENV SAYSO_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
ENTRYPOINT [".venv/bin/python", "app.py"]
CMD ["serve", "--host", "0.0.0.0"]
