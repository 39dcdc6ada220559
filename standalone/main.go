// Command landbridge-standalone runs Temporal, its web UI and a Landbridge worker
// in one process on a SQLite file: all that one machine needs.
package main

import (
	"os"

	"github.com/landbridge/landbridge/worker/serve"
)

func main() { program(&ownTemporal{tell: os.Stderr}).Main() }

func program(temporal *ownTemporal) *serve.Program {
	return &serve.Program{
		Name:  "landbridge-standalone",
		Short: "Run Temporal, its web UI and a Landbridge worker in one process",
		Long: "Run Temporal, its web UI and a Landbridge worker in one process, on a SQLite file.\n\n" +
			"Everything listens on 127.0.0.1 only. Stopped and started again, it continues where it was.\n" +
			"Without --kubeconfig-dir, fleet files may name contexts of the default kubeconfig.",
		Temporal: temporal,
		// One machine, one person: what kubectl reaches.
		DefaultKubeconfig: true,
	}
}
