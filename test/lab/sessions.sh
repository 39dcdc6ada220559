#!/usr/bin/env bash
# Runs every command on a lab of three clusters and writes down what a terminal
# shows: docs/generated/sessions.md. Called by `make sessions`; needs bin/.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(mktemp -d)
page=$work/sessions.md
export PATH=$root/bin:$PATH TEMPORAL_ADDRESS=127.0.0.1:7533 NO_COLOR=1 COLUMNS=120
standalone=

end() {
  [ -z "$standalone" ] || { kill "$standalone"; wait "$standalone" || true; }
  "$root/bin/lab" down --dir "$work/lab" >/dev/null || true
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# title TEXT, and run COMMAND…: its output as a reader would see it. The directory
# of this run is not theirs.
title() { printf '\n## %s\n\n' "$1" >> "$page"; }
run() {
  echo "$*" >&2
  printf '```\n$ %s\n' "$*" >> "$page"
  local code=0
  (eval "$*") > "$work/out" 2>&1 || code=$?
  sed -e "s#$work/##g" -e "s#$(hostname)#host#g" "$work/out" | sed -n "1,${LINES_SHOWN:-60}p" >> "$page"
  [ "$(wc -l < "$work/out")" -le "${LINES_SHOWN:-60}" ] || echo "…" >> "$page"
  # 141: head had enough, which a person's shell does not show either.
  [ $code = 0 ] || [ $code = 141 ] || echo "(exit code $code)" >> "$page"
  printf '```\n' >> "$page"
}

# await FLEET WORDS: until its status says so, a minute at most.
await() {
  for _ in $(seq 180); do
    if (landbridge status "$1" 2>&1 || true) | grep -q "$2"; then return; fi
    sleep 1
  done
  echo "sessions: the status of $1 never said '$2'" >&2
  return 1
}

cat > "$page" <<'EOF'
<!-- made by make sessions; do not edit -->
# What a terminal shows

Every command on a lab of three clusters, as `make sessions` ran it: real kube-apiservers, a real Temporal, a cloud that is late
and fails. Nodes are KWOK's and run nothing, so the fleet file leaves the proof out; `make e2e` has it. Without a terminal,
`rollout` and `watch` print a line per change; on one they draw a picture.
EOF

lab up --clusters 3 --dir "$work/lab" --cloud-delay 2s --sail-delay 1s >&2
landbridge-standalone --state-dir "$work/temporal" --root-dir "$work/roots" --port 7533 --no-ui --kubeconfig-dir "$work/lab" 2> "$work/log" &
standalone=$!
cd "$work"
await nobody "knows nothing"

title "A fleet file"
run landbridge version
KUBECONFIG=lab/east.kubeconfig:lab/west.kubeconfig:lab/north.kubeconfig run landbridge init --name prod
cat > fleet.yaml <<'EOF'
apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  gateways: {loadBalancerTimeout: 30s}
  rollout:
    skipProof: true
    waves: [{name: canary, clusters: [east, west]}]
    approval: waves
  clusters:
  - {name: east, network: east-network, kubeconfig: {path: east.kubeconfig}}
  - {name: west, network: west-network, kubeconfig: {path: west.kubeconfig}}
  - {name: north, network: north-network, kubeconfig: {path: north.kubeconfig}}
EOF
run cat fleet.yaml
sed 's/skipProof/skipProoof/' fleet.yaml > typo.yaml
run landbridge plan -f typo.yaml

title "Before"
run landbridge plan --brief
LINES_SHOWN=25 run landbridge plan
run landbridge render --output-dir manifests
LINES_SHOWN=25 run "landbridge rbac"

title "A rollout in waves, with a cloud that fails on one cluster"
lab behave --dir lab --cloud-delay 2s --cloud-only west --cloud-never
run "landbridge rollout --detach --reason CHG-1234"
await prod "waiting for approval"
run landbridge status prod
lab behave --dir lab --cloud-delay 2s --cloud-failures 2
run landbridge skip prod --cluster nowhere --reason oops
run landbridge retry prod --cluster west --reason "'the cloud works again'"
await prod "cluster west .* done"
run landbridge pause prod
run landbridge resume prod
run landbridge approve prod --wave rest --reason CHG-1234
run landbridge watch prod
run landbridge status prod
run "landbridge status prod -o json | head -30"

title "Afterwards"
run landbridge rollout --no-such-flag
run landbridge drift
run landbridge verify
run landbridge schedule --every 6h
run landbridge schedule show prod
run landbridge report prod --out report.html
run "landbridge report prod -o json | head -30"
run landbridge rotate prod --tokens --reason CHG-1235
run landbridge gather --out bundle.tar.gz
run "tar tzf bundle.tar.gz | head -20"

title "Cleanup"
LINES_SHOWN=20 run landbridge cleanup --dry-run
run landbridge cleanup --reason CHG-1300 --yes --detach
await prod "waiting for approval"
run landbridge status prod
run landbridge approve prod --wave canary --reason CHG-1300
run landbridge watch prod
run landbridge cleanup prod --cluster east=east.kubeconfig --dry-run
[ -z "${KEEP_REPORT:-}" ] || cp report.html "$KEEP_REPORT"
cp "$page" "$root/docs/generated/sessions.md"
echo "wrote docs/generated/sessions.md" >&2
