#!/usr/bin/env bash
# The main job, from nothing: a lab of two clusters, Temporal with its UI, a
# rollout, and on Ctrl-C the cleanup. DEMO=once does not wait.
set -uo pipefail
cd "$(dirname "$0")/../.."

dir=$PWD/.demo
port=${DEMO_PORT:-7233} ui=${DEMO_UI_PORT:-8233}
began=$SECONDS
say() { printf '\n== %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

mkdir -p "$dir" || die "cannot write to $dir"
exec 9>"$dir/lock"
flock -n 9 || die "another demo runs from this directory; end it with Ctrl-C first"
for p in "$port" "$ui"; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
    die "port $p is in use; end what uses it, or choose others: DEMO_PORT=17233 DEMO_UI_PORT=18233 make demo"
  fi
done

server=
finish() {
  local code=$?
  trap '' INT TERM
  if [ -n "$server" ]; then kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; fi
  bin/lab down --dir "$dir/lab" 9>&-
  rm -rf "$dir/state" "$dir/standalone.log"
  exit $code
}
trap finish EXIT
trap 'exit 130' INT TERM

bin/lab down --dir "$dir/lab" 2>/dev/null 9>&- # what a demo that was killed left behind
rm -rf "$dir/state"

say "two clusters with a cloud and a stand-in for Sail; real nodes where this machine can have them"
bin/lab up --nodes "${DEMO_NODES:-auto}" --clusters 2 --dir "$dir/lab" --cloud-delay 3s --cloud-failures 1 9>&- || die "the lab did not come up"

say "Temporal, its web UI and a worker, in one process"
export XDG_STATE_HOME=$dir/state TEMPORAL_ADDRESS=127.0.0.1:$port
# In a session of its own: a Ctrl-C is for the demo, which cleans up with it.
setsid bin/landbridge-standalone --port "$port" --ui-port "$ui" --kubeconfig-dir "$dir/lab" >"$dir/standalone.log" 2>&1 9>&- &
server=$!
for _ in $(seq 150); do
  grep -q 'msg=serving' "$dir/standalone.log" && break
  kill -0 "$server" 2>/dev/null || { cat "$dir/standalone.log" >&2; die "Temporal did not start"; }
  sleep 0.2
done

say "landbridge plan -f .demo/lab/fleet.yaml"
bin/landbridge plan -f "$dir/lab/fleet.yaml" | tail -1 || die "the plan failed"
say "landbridge rollout -f .demo/lab/fleet.yaml"
bin/landbridge rollout -f "$dir/lab/fleet.yaml" || die "the rollout failed; the log is above"

say "rolled out $((SECONDS - began)) s after the start"
if grep -q '"nodes": "real"' "$dir/lab/lab.json"; then
  say "landbridge verify -f .demo/lab/fleet.yaml"
  bin/landbridge verify -f "$dir/lab/fleet.yaml" || die "a link is not proven; the reason is above"
else
  echo "Not proven here: traffic. The lab's nodes run no containers, so no istiod and no gateway answers."
fi
cat <<EOF
What happened   http://127.0.0.1:$ui/namespaces/default/workflows
Fleet file      .demo/lab/fleet.yaml
EOF

if [ "${DEMO:-}" != once ]; then
  printf '\nLook around. Ctrl-C cleans up.\n'
  trap 'true' INT TERM
  sleep infinity &
  wait $!
  kill $! 2>/dev/null
  trap 'exit 130' INT TERM
fi

say "landbridge cleanup -f .demo/lab/fleet.yaml --yes"
bin/landbridge cleanup -f "$dir/lab/fleet.yaml" --yes || die "the cleanup left something"
left=$(bin/landbridge cleanup -f "$dir/lab/fleet.yaml" --dry-run 2>/dev/null) || die "cannot look at what is left"
printf 'looked again: %s\n' "$left"
