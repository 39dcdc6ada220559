# The worker, static, for docker-compose.yaml and for clusters.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /landbridge-worker ./worker \
 && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /landbridge ./starter \
 && install -d -o 65532 -g 65532 -m 0700 /state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /landbridge-worker /landbridge /usr/local/bin/
COPY --from=build --chown=65532:65532 /state /state
USER 65532:65532
ENV XDG_STATE_HOME=/state
ENTRYPOINT ["/usr/local/bin/landbridge-worker"]
