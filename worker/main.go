// Command landbridge-worker runs Landbridge's workflows and activities for a
// Temporal server elsewhere. landbridge-standalone has one of its own.
package main

import "github.com/landbridge/landbridge/worker/serve"

func main() {
	program := serve.Program{
		Name:  "landbridge-worker",
		Short: "Run Landbridge's workflows and activities",
		Long: "Run Landbridge's workflows and activities for the Temporal at --address.\n\n" +
			"A worker can serve a whole fleet, or, inside a private network, just the task queue of one cluster\n" +
			"with just that cluster's kubeconfig.",
		Temporal: &serve.Elsewhere{},
		Listen:   serve.DefaultListen,
	}
	program.Main()
}
