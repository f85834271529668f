# A static binary on an empty image: no shell, no libc, nothing to update but pillion itself.
#
#   docker build -t pillion .
#   docker run --read-only -v /var/log/app:/var/log/app:ro -v pillion-state:/var/lib/pillion pillion

FROM rust:1.95-alpine AS build
# `ring` compiles a little C.
RUN apk add --no-cache musl-dev gcc
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked && cp target/release/pillion /pillion
# The one directory that pillion writes to, owned by the user it runs as; and the roots that TLS
# trusts where no `ca` is configured.
RUN mkdir -p /rootfs/var/lib/pillion /rootfs/etc/ssl/certs \
    && cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ \
    && chown -R 65532:65532 /rootfs/var/lib/pillion

FROM scratch
COPY --from=build /rootfs /
COPY --from=build /pillion /pillion
USER 65532:65532
VOLUME /var/lib/pillion
EXPOSE 2028
HEALTHCHECK --interval=30s --timeout=5s CMD ["/pillion", "healthy"]
ENTRYPOINT ["/pillion"]
CMD ["run"]
