# The worker and the command, static, for docker-compose.yaml and for clusters:
#   docker build --build-arg VERSION=v0.3.0 -t landbridge-worker:v0.3.0 .
# The programs in it are, byte for byte, those of `make release`. For an image that
# is the same every time, have BuildKit set the times of its files:
#   docker buildx build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) --output type=image,rewrite-timestamp=true …
ARG GO=1.26.8
FROM golang:${GO}-bookworm AS build
ARG VERSION=devel
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN for p in worker:landbridge-worker starter:landbridge; do \
      CGO_ENABLED=0 go build -trimpath -buildvcs=false \
        -ldflags "-s -w -X github.com/landbridge/landbridge/internal/build.version=${VERSION}" -o "/${p#*:}" "./${p%:*}" || exit 1; \
    done \
 && install -d -o 65532 -g 65532 -m 0700 /state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /landbridge-worker /landbridge /usr/local/bin/
COPY --from=build --chown=65532:65532 /state /state
USER 65532:65532
ENV XDG_STATE_HOME=/state
ENTRYPOINT ["/usr/local/bin/landbridge-worker"]
