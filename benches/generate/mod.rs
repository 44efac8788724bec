//! Dockerfiles as people write them, any number and any length; the same every time.

use std::fmt::Write;

/// The stages that a Dockerfile is put together from. `{n}` is the number of the stage.
const STAGES: [&str; 4] = [
    r#"
FROM node:22-alpine AS web{n}
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --no-audit
# The sources come last.
COPY web{n}/ ./web/
ENV NODE_ENV=production
RUN npm run build -- --outDir dist/{n}
"#,
    r#"
FROM golang:1.25 AS api{n}
ARG VERSION=dev
WORKDIR /go/src/app
COPY go.mod go.sum ./
RUN go mod download
COPY api{n}/ ./
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -ldflags "-X main.version=${VERSION}" \
      -o /out/api{n} ./cmd/api
"#,
    r#"
FROM python:3.13-slim AS tool{n}
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential libpq-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements{n}.txt /tmp/requirements.txt
RUN pip install -r /tmp/requirements.txt
COPY tools{n} /tools
RUN <<EOF
set -eu
cd /tools
python -m compileall .
for file in *.sh; do chmod +x "$file"; done
EOF
"#,
    r#"
FROM debian:12-slim AS runtime{n}
LABEL org.opencontainers.image.title="service {n}"
RUN set -eux; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates curl; \
    rm -rf /var/lib/apt/lists/*
WORKDIR /srv
COPY config/ ./config/
COPY --from=web0 /src/dist ./static
EXPOSE 8080
USER 1000:1000
"#,
];

/// A Dockerfile of about that many lines (never fewer), beginning with another stage for every `variant`.
pub(crate) fn dockerfile(lines: usize, variant: usize) -> String {
    let mut text = String::from("# syntax=docker/dockerfile:1\nARG REGISTRY=registry.example.com\n");
    let mut written = 2;
    let mut number = 0;
    while written < lines {
        // The first stage is the one that others copy from.
        let stage = if number == 0 { STAGES[0] } else { STAGES[(number + variant) % STAGES.len()] };
        let stage = stage.replace("{n}", &number.to_string());
        written += stage.lines().count();
        text.push_str(&stage);
        number += 1;
    }
    // The last stage takes something of every other, so that all of them are built.
    text.push_str("\nFROM scratch\n");
    for other in 0..number {
        let stage = if other == 0 { 0 } else { (other + variant) % STAGES.len() };
        let (name, path) =
            [("web", "src/dist"), ("api", "out"), ("tool", "tools"), ("runtime", "srv")][stage];
        let _ = writeln!(text, "COPY --from={name}{other} /{path} /{name}{other}/");
    }
    text.push_str("CMD [\"/api1/api1\"]\n");
    text
}
