#!/usr/bin/env bash
# Builds a release into dist/: static programs for each platform, an archive of
# them, an SBOM of each program, and checksums. The same commit and the same Go
# give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

if ! [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  echo "release: want a version such as v0.3.0 (make release VERSION=v0.3.0), got '$version'" >&2
  exit 2
fi
if ! grep -q "^## $version\b" CHANGELOG.md; then
  echo "release: CHANGELOG.md says nothing of $version; add a section '## $version'" >&2
  exit 2
fi
if [ -n "$(git status --porcelain)" ]; then
  echo "release: there are changes that are not committed; a release is of a commit" >&2
  exit 2
fi

export CGO_ENABLED=0 SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
rm -rf dist
mkdir -p dist

# build MODULE PACKAGE NAME DIRECTORY
build() {
  go build -C "$1" -trimpath -buildvcs=false -ldflags "-s -w -X github.com/landbridge/landbridge/internal/build.version=$version" -o "$PWD/$4/$3" "$2"
}

for platform in $platforms; do
  export GOOS=${platform%/*} GOARCH=${platform#*/}
  name=landbridge_${version}_${GOOS}_${GOARCH}
  echo "building $name"
  mkdir -p "dist/$name"
  build . ./starter landbridge "dist/$name"
  build . ./worker landbridge-worker "dist/$name"
  build standalone . landbridge-standalone "dist/$name"
  cp LICENSE README.md CHANGELOG.md "dist/$name"
  tar -C dist --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n > "dist/$name.tar.gz"
  rm -r "dist/$name"
done
unset GOOS GOARCH

# SBOM MODULE PACKAGE NAME
describe() {
  go run "$sbom" app -json -noserial -notimestamp -output-version 1.6 -main "$2" -output "dist/$3_$version.cdx.json" "$1"
}
echo "writing SBOMs"
describe . starter landbridge
describe . worker landbridge-worker
describe standalone . landbridge-standalone

(cd dist && sha256sum -- * > "landbridge_${version}_checksums.txt")
cat "dist/landbridge_${version}_checksums.txt"
