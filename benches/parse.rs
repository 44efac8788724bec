//! Parsing, beside the crate `dockerfile-parser`: `cargo bench --bench parse`.

use divan::{Bencher, black_box, counter::BytesCount};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// A service with its dependencies in their own layer.
const NODE: &str = r#"# syntax=docker/dockerfile:1

ARG NODE_VERSION=22

FROM node:${NODE_VERSION}-alpine AS deps
WORKDIR /app
# Only the manifests, so that an edit of a source does not install again.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:${NODE_VERSION}-alpine AS build
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
COPY . .
RUN npm run build && \
    npm prune --omit=dev

FROM node:${NODE_VERSION}-alpine
ENV NODE_ENV=production \
    PORT=3000
WORKDIR /app
COPY --from=build --chown=node:node /app/dist ./dist
COPY --from=build --chown=node:node /app/node_modules ./node_modules
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s CMD wget -qO- http://localhost:3000/health || exit 1
CMD ["node", "dist/server.js"]
"#;

/// Long package lists, as most images have them.
const APT: &str = r#"FROM debian:bookworm-slim

LABEL org.opencontainers.image.title="example" \
      org.opencontainers.image.description="an image with many packages" \
      org.opencontainers.image.licenses="MIT"

ENV DEBIAN_FRONTEND=noninteractive
ENV LANG=C.UTF-8 LC_ALL=C.UTF-8
ENV PATH /opt/venv/bin:$PATH

# runtime and build dependencies
RUN set -eux; \
    apt-get update; \
    apt-get install -y --no-install-recommends \
        build-essential \
        ca-certificates \
        curl \
        # for the database driver
        libpq-dev \
        libssl-dev \
        pkg-config \
        python3 \
        python3-dev \
        python3-venv \
        zlib1g-dev \
    ; \
    rm -rf /var/lib/apt/lists/*

RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --upgrade pip setuptools wheel

COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir -r /tmp/requirements.txt \
 && find /opt/venv -name '*.pyc' -delete \
 && rm -rf /root/.cache "/tmp/build dir"

VOLUME /data
WORKDIR /srv
COPY . /srv
ENTRYPOINT ["/opt/venv/bin/gunicorn"]
CMD ["--bind", "0.0.0.0:8000", "--workers", "4", "example.wsgi"]
"#;

/// Mounts, heredocs, platforms.
const MODERN: &str = r##"# syntax=docker/dockerfile:1
# check=error=true

FROM --platform=$BUILDPLATFORM golang:1.25-alpine AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod,sharing=locked \
    --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    go mod download -x
COPY --link --parents cmd internal ./
RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod \
    --mount=type=cache,target=/root/.cache/go-build <<EOT
set -eux
GOOS="$TARGETOS" GOARCH="$TARGETARCH" go build -trimpath -ldflags '-s -w' -o /out/server ./cmd/server
/out/server --version || true
EOT

FROM gcr.io/distroless/static:nonroot
COPY --link <<-"END" /etc/server/config.yaml
	listen: 0.0.0.0:8080
	log: ${LEVEL:-info}
	END
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \
    https://example.org/ca.pem /etc/ssl/certs/
COPY --link --from=build --chmod=0755 /out/server /server
ENTRYPOINT ["/server", "--config", "/etc/server/config.yaml"]
"##;

/// Windows.
const BACKTICK: &str = r#"# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue';"]
RUN Invoke-WebRequest https://example.org/tool.zip -OutFile C:\tool.zip; `
    Expand-Archive C:\tool.zip -DestinationPath C:\tool; `
    Remove-Item C:\tool.zip
ENV TOOL=C:\tool `
    MODE="quiet mode"
WORKDIR C:\\work
ENTRYPOINT C:\tool\tool.exe --verbose
"#;

/// What both parsers read.
fn common() -> Vec<&'static str> {
    [NODE, APT].into_iter().cycle().take(200).collect()
}

fn mixed() -> Vec<&'static str> {
    [NODE, APT, MODERN, APT, BACKTICK, NODE].into_iter().cycle().take(600).collect()
}

fn bytes(files: &[&str]) -> BytesCount {
    BytesCount::new(files.iter().map(|file| file.len()).sum::<usize>())
}

#[divan::bench]
fn mixed_files(bencher: Bencher<'_, '_>) {
    let files = mixed();
    bencher.counter(bytes(&files)).bench_local(|| {
        for file in &files {
            black_box(hitrate::dockerfile::parse(black_box(file)));
        }
    });
}

#[divan::bench]
fn files_that_both_read(bencher: Bencher<'_, '_>) {
    let files = common();
    bencher.counter(bytes(&files)).bench_local(|| {
        for file in &files {
            black_box(hitrate::dockerfile::parse(black_box(file)));
        }
    });
}

#[divan::bench(sample_count = 10)]
fn files_that_both_read_dockerfile_parser(bencher: Bencher<'_, '_>) {
    let files = common();
    bencher.counter(bytes(&files)).bench_local(|| {
        for file in &files {
            black_box(dockerfile_parser::Dockerfile::parse(black_box(file)).is_ok());
        }
    });
}

#[divan::bench]
fn file_of_500_lines(bencher: Bencher<'_, '_>) {
    let body = APT.split_once('\n').map_or("", |(_, body)| body);
    let file = format!("FROM debian\n{}", body.repeat(12));
    bencher
        .counter(BytesCount::new(file.len()))
        .bench_local(|| black_box(hitrate::dockerfile::parse(black_box(&file)).items.len()));
}

/// Words of ENV, COPY and ARG with and without variables.
#[divan::bench]
fn expand_words(bencher: Bencher<'_, '_>) {
    let words =
        ["/usr/local/bin", "$PATH:/opt/bin", "${A:-${B:-c}}/d", "\"a b\" 'c'", "${PATH%%:*}", "v1.2.3"];
    let env = |name: &str| (name == "PATH").then_some("/usr/bin:/bin".into());
    bencher.counter(bytes(&words)).bench_local(|| {
        for word in words {
            let _ = black_box(hitrate::dockerfile::expand::word(black_box(word), '\\', &env));
        }
    });
}
