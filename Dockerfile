# Two stages: the toolchain builds, a small image without a shell runs.
#   docker build -t lanchat .
#   docker run -d --network host -v lanchat:/var/lib/lanchat lanchat
ARG RUST_VERSION=1.95
FROM rust:${RUST_VERSION}-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin lanchat \
    && mkdir -p /out/var/lib/lanchat /out/usr/bin \
    && cp target/release/lanchat /out/usr/bin/

FROM gcr.io/distroless/cc-debian12
COPY --from=build /out/usr/bin/lanchat /usr/bin/lanchat
# A new volume takes its owner from this folder.
COPY --from=build --chown=10001:10001 /out/var/lib/lanchat /var/lib/lanchat
ENV LANCHAT_SERVE_DATA_DIR=/var/lib/lanchat
USER 10001:10001
VOLUME /var/lib/lanchat
# Chat, and mDNS for being found.
EXPOSE 7667/tcp 5353/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
    CMD ["/usr/bin/lanchat", "doctor", "--host", "127.0.0.1", "--no-discovery", "-q"]
ENTRYPOINT ["/usr/bin/lanchat"]
CMD ["serve"]
