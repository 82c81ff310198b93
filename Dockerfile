# sotto in an image with nothing else in it: no shell, no package manager, not root.
#
#   docker build -t sotto .
#   docker run -d -p 127.0.0.1:53:53/udp -p 127.0.0.1:53:53/tcp sotto
#
# It needs no capability and no writable file: --cap-drop ALL --read-only is fine. Settings come as arguments, as
# environment (-e SOTTO_UPSTREAMS=tls://9.9.9.9#dns.quad9.net), or in a file mounted at /etc/sotto/sotto.yaml.
FROM docker.io/library/debian:bookworm-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	gcc libc6-dev meson ninja-build pkgconf libssl-dev libuv1-dev libfyaml-dev libpsl-dev libseccomp-dev publicsuffix libjansson-dev libldns-dev libpcre2-dev ca-certificates
WORKDIR /source
COPY meson.build meson_options.txt ./
COPY src src
# The date of the build (docs/decisions/005); given, the same source makes the same program.
ARG SOURCE_DATE_EPOCH
RUN meson setup /build --prefix=/usr -Dtests=disabled -Dsystemd-units=none -Db_lto=true && meson install -C /build --strip --destdir /image
# The libraries it is linked with, the loader among them, whom to trust, and which names belong together.
RUN ldd /image/usr/bin/sotto | grep -o '/[^ ]*' | xargs cp --parents --dereference --target-directory=/image && \
	cp --parents /etc/ssl/certs/ca-certificates.crt \
	/usr/share/publicsuffix/public_suffix_list.dafsa /image

FROM scratch
LABEL org.opencontainers.image.title="sotto" \
	org.opencontainers.image.description="Takes plain DNS, asks upstream over DNS over TLS only" \
	org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 65532:65532
ENV SOTTO_LISTEN="0.0.0.0:53, [::]:53"
EXPOSE 53/udp 53/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/usr/bin/sotto", "healthcheck"]
ENTRYPOINT ["/usr/bin/sotto"]
