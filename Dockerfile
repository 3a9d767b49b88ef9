FROM python:3.13-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 journeyman \
 && install --directory --owner journeyman --mode 0700 /var/lib/journeyman \
 && pip install --no-cache-dir 'uv>=0.13,<0.14'

WORKDIR /opt/journeyman
COPY . .
RUN uv sync --frozen --no-dev

ENV PATH=/opt/journeyman/.venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    JOURNEYMAN_HOME=/var/lib/journeyman \
    HOST=0.0.0.0 \
    PORT=8000
USER journeyman
VOLUME /var/lib/journeyman
EXPOSE 8000
CMD ["journeyman", "serve"]
