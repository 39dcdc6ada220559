#!/usr/bin/env bash
# Prints the manifest with which krew installs a release as a plugin of kubectl:
# deploy/krew.sh VERSION DIRECTORY, where the release's archives are.
set -euo pipefail
version=$1 dist=$2
cat <<MANIFEST
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: landbridge
spec:
  version: $version
  homepage: https://github.com/landbridge/landbridge
  shortDescription: Let Istio control planes read each other's private API servers
  description: |
    Landbridge lets the Istio control planes of a fleet of clusters read each other's
    kube-apiserver without any API server being reachable from outside its own network.
  caveats: |
    It starts workflows on Temporal, which needs a worker: see docs/operate.md.
  platforms:
MANIFEST
for archive in "$dist"/landbridge_"$version"_*.tar.gz; do
  name=$(basename "$archive" .tar.gz)
  IFS=_ read -r _ _ os arch <<< "$name"
  cat <<PLATFORM
  - selector: {matchLabels: {os: $os, arch: $arch}}
    uri: https://github.com/landbridge/landbridge/releases/download/$version/$name.tar.gz
    sha256: $(sha256sum "$archive" | cut -d' ' -f1)
    files:
    - {from: $name/landbridge, to: .}
    - {from: $name/LICENSE, to: .}
    bin: landbridge
PLATFORM
done
