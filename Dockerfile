# syntax=docker/dockerfile:1

# The image of hitrate: the program, and git, which it asks what changed.
#     docker run --rm -v "$PWD:/work" hitrate check

FROM rust:1.89-alpine3.22 AS build
# The C library is linked in, so that the program runs anywhere.
RUN --mount=type=cache,target=/var/cache/apk,sharing=locked apk add musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
# Cargo asks for the files of all benches and tests that the manifest names, whatever it builds.
RUN sed -i '/^\[\[/,/^$/d' Cargo.toml
COPY rules rules
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release && cp target/release/hitrate /usr/local/bin/

FROM alpine:3.22
RUN --mount=type=cache,target=/var/cache/apk,sharing=locked apk add git \
 && git config --system --add safe.directory '*'
COPY --from=build --link /usr/local/bin/hitrate /usr/local/bin/
WORKDIR /work
ENTRYPOINT ["hitrate"]
CMD ["check"]
