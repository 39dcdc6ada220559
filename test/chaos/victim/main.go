// Command victim is a Landbridge worker that kills itself with SIGKILL before,
// during or after the first run of the activities that --kill names, each once.
package main

import (
	"go.temporal.io/sdk/interceptor"

	"github.com/landbridge/landbridge/worker/serve"
)

func main() {
	k := &killer{}
	program := serve.Program{
		Name:         "victim",
		Short:        "Serve Landbridge's workflows and activities, and die in the middle of them",
		Long:         "Serve Landbridge's workflows and activities, and die by SIGKILL in the middle of those that --kill names.",
		Temporal:     &serve.Elsewhere{},
		Flags:        k.bind,
		Interceptors: []interceptor.ClientInterceptor{k},
		Wrap:         k.wrap,
	}
	program.Main()
}
