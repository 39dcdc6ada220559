// Package kube reaches, reads and changes one cluster: clients from the kubeconfigs
// that a worker was given, objects that are applied only when they differ and removed
// only when they are ours, and waits that report progress. It knows neither steps nor
// links, and never talks to two clusters.
//
// Libraries do what they can: client-go the requests and server-side apply, kstatus
// the readiness of Deployments. Four parts are our own, each for a reason:
//
//   - The writer. An apply of kubectl's kind overwrites or refuses; it does not tell a
//     field that somebody else changed from one that the fleet file changed. Ours
//     does, and it writes nothing where nothing differs, remembers which run made an
//     object (an undo removes only that), and lists field by field what it would do.
//   - Poll and Wait. The waits of Kubernetes' libraries return "timed out". Ours heartbeat
//     to Temporal what they wait for, which is how people see it and how cancellation
//     arrives, return that as their error, and end when the worker stops. Wait also
//     watches; client-go's waits that watch need a list before, and know nothing to do
//     where a watch is refused (docs/adr/0022-waits-watch.md).
//   - The difference of two objects. A comparison for equality would see the defaults
//     of the API server and the labels of others as changes.
//   - Port-forward. client-go's listens on a port of the worker's machine, which
//     everybody there can use. Ours is one connection in memory.
package kube
