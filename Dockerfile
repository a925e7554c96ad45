# The HTTP API and the sorting guide on a CPU, with the shipped model; another comes in as a volume.
FROM python:3.11.14-slim-bookworm

# OpenCV's wheel needs these two libraries. Debian removes old versions, so that a pin would fail.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Dependencies first: they change less often than the code.
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
COPY mmseg_custom/version.py mmseg_custom/__init__.py mmseg_custom/
RUN pip install --index-url https://download.pytorch.org/whl/cpu \
        --extra-index-url https://pypi.org/simple -c constraints.txt torch torchvision \
    && pip install -c constraints.txt -e ".[app,laptop]"

COPY mmseg_custom mmseg_custom
COPY configs configs
COPY apps apps
COPY weights weights

RUN useradd --create-home --uid 10001 trash
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "apps/serve.py", "--host", "0.0.0.0"]
CMD ["weights/trash11"]
