#!/usr/bin/env bash
# Builds a release into dist/: static programs for each platform, an archive of
# them with man pages and completions, the worker's image and chart, a manifest for krew, an
# SBOM of each program, and checksums. The same commit and the same Go give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/build.sh

version=${1:-}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

released_version "$version" || exit
if ! grep -q "^## $version\b" CHANGELOG.md; then
  echo "release: CHANGELOG.md says nothing of $version; add a section '## $version'" >&2
  exit 2
fi
if ! grep -q "^appVersion: $version$" deploy/chart/Chart.yaml; then
  echo "release: deploy/chart/Chart.yaml is of another version; set version and appVersion to $version" >&2
  exit 2
fi

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
rm -rf dist
mkdir -p dist

# archive FILE DIRECTORY NAME writes NAME, below DIRECTORY, as a tar.
archive() {
  tar -C "$2" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --mode=a+rX,u+w,go-w --owner=0 --group=0 --numeric-owner -cf "$1" "$3"
}

# The man pages and completions are the same for every platform, and made by a program for this one.
build "$version" "$(go env GOOS)/$(go env GOARCH)" . ./starter dist/here/landbridge
SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH dist/here/landbridge man dist/here/man/man1
mkdir dist/here/completions
for shell in bash zsh fish powershell; do dist/here/landbridge completion "$shell" > "dist/here/completions/landbridge.$shell"; done

packed=()
for platform in $platforms; do
  name=landbridge_${version}_${platform/\//_}
  echo "building $name"
  mkdir -p "dist/$name"
  build_image_programs "$version" "$platform" "dist/$name"
  build "$version" "$platform" standalone . "dist/$name/landbridge-standalone"
  cp LICENSE README.md CHANGELOG.md "dist/$name"
  cp -r dist/here/man dist/here/completions "dist/$name"
  archive - dist "$name" | gzip -9n > "dist/$name.tar.gz"
  case $platform in linux/*) packed+=("$platform=dist/$name") ;; esac
done
if [ ${#packed[@]} -gt 0 ]; then
  pack_image "$version" dist/image "${packed[@]}"
  archive "dist/landbridge-worker_${version}_oci.tar" dist/image .
fi
rm -r dist/*/
# Helm wants the files below the chart's name, and its own version without the v.
cp -r deploy/chart dist/landbridge-worker
archive - dist landbridge-worker | gzip -9n > "dist/landbridge-worker-${version#v}.tgz"
rm -r dist/landbridge-worker

# SBOM MODULE PACKAGE NAME
describe() {
  CGO_ENABLED=0 go run "$sbom" app -json -noserial -notimestamp -output-version 1.6 -main "$2" -output "dist/$3_$version.cdx.json" "$1"
}
echo "writing SBOMs"
describe . starter landbridge
describe . worker landbridge-worker
describe standalone . landbridge-standalone

# The manifest for krew, the manager of kubectl's plugins.
deploy/krew.sh "$version" dist > dist/landbridge.yaml

(cd dist && sha256sum -- * > "landbridge_${version}_checksums.txt")
cat "dist/landbridge_${version}_checksums.txt"
