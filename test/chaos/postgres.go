package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// postgresKills returns the cases that kill Temporal or its PostgreSQL and start it
// again, one of them in the rollout and one in the cleanup, at moments drawn from the
// seed.
func postgresKills(n int, bins string, random *rand.Rand) (cases []chaos) {
	names := []string{"temporal-server", "postgres"}
	for i := range n {
		a, b := moment(10*time.Second, random), moment(16*time.Second, random)
		first, second := names[i%2], names[(i+1)%2]
		cases = append(cases, chaos{Family: "Temporal and PostgreSQL killed", onPostgresBin: bins,
			Name:    fmt.Sprintf("%s at %s, %s at %s", first, a, second, b),
			rollout: later(a, killServer(first)), cleanup: later(b, killServer(second))})
	}
	return cases
}

func killServer(name string) func(context.Context, *scene) {
	return func(_ context.Context, s *scene) {
		s.killed = append(s.killed, time.Now())
		if name == "postgres" {
			s.backend.postgres.kill()
		} else {
			s.backend.server.kill()
		}
	}
}
