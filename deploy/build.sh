# Sourced by release.sh and image.sh, which run in the repository's root: the same commit,
# version and Go give the same programs, wherever they are built.

# build VERSION PLATFORM MODULE PACKAGE FILE builds a static program.
build() {
  CGO_ENABLED=0 GOOS=${2%/*} GOARCH=${2#*/} go build -C "$3" -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/landbridge/landbridge/internal/build.version=$1" -o "$(realpath -m "$5")" "$4"
}

# build_image_programs VERSION PLATFORM DIRECTORY builds what the image has.
build_image_programs() {
  build "$1" "$2" . ./starter "$3/landbridge"
  build "$1" "$2" . ./worker "$3/landbridge-worker"
}

# pack_image VERSION DIRECTORY PLATFORM=PROGRAMS... makes the image's OCI layout.
pack_image() {
  local version=$1 out=$2 programs=()
  shift 2
  for p in "$@"; do programs+=(--programs "${p%=*}=$(realpath "${p#*=}")"); done
  go run -C test ./image --version "$version" --revision "$(git rev-parse HEAD)" --created "$(git log -1 --format=%ct)" \
    "${programs[@]}" --out "$(realpath -m "$out")"
}

# released_version VERSION refuses what is no version.
released_version() {
  if ! [[ $1 =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
    echo "want a version such as v0.3.0 (VERSION=v0.3.0), got '$1'" >&2
    return 2
  fi
  if [ -n "$(git status --porcelain)" ]; then
    echo "there are changes that are not committed; a version is of a commit" >&2
    return 2
  fi
}
