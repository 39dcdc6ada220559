#!/usr/bin/env bash
# Builds the worker's image, as an OCI layout of one image for each platform, without a
# container engine. Without a version it is called after the commit. The same commit and the
# same Go give the same digest.
#
#   deploy/image.sh [VERSION [DIRECTORY]]
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/build.sh

version=${1:-}
out=${2:-dist/image}
if [ -n "$version" ]; then
  released_version "$version" || exit
else
  version=devel-$(git rev-parse --short=12 HEAD)
  [ -z "$(git status --porcelain)" ] || version=$version-changed
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
packed=()
for platform in ${PLATFORMS:-linux/amd64 linux/arm64}; do
  echo "building the programs for $platform"
  build_image_programs "$version" "$platform" "$tmp/$platform"
  packed+=("$platform=$tmp/$platform")
done
pack_image "$version" "$out" "${packed[@]}"
