package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/landbridge/landbridge/activities"
)

// moments lists the moments of an activity at which its worker dies.
var moments = []string{"before", "during", "after"}

// activityNames returns the names of all activities, from the code.
func activityNames() (names []string) {
	t := reflect.TypeFor[*activities.Activities]()
	for i := range t.NumMethod() {
		names = append(names, t.Method(i).Name)
	}
	return names
}

// workerKills returns the cases that kill every activity of a plain rollout and cleanup
// at every moment: two of the rollout's and one or two of the cleanup's in each case.
func workerKills(rollout, cleanup []string, random *rand.Rand) (cases []chaos) {
	all := func(names []string) (kills []string) {
		for _, a := range names {
			for _, m := range moments {
				kills = append(kills, a+":"+m)
			}
		}
		random.Shuffle(len(kills), func(i, j int) { kills[i], kills[j] = kills[j], kills[i] })
		return kills
	}
	first, second := all(rollout), all(cleanup)
	for n := 0; n < max(len(first), len(second)); n += 2 {
		kills := append(part(first, n), part(second, n)...)
		cases = append(cases, chaos{Family: "worker killed", Name: "worker " + strings.Join(kills, " "), kills: kills})
	}
	return cases
}

// part returns two of a list.
func part[T any](list []T, from int) []T {
	return slices.Clone(list[min(from, len(list)):min(from+2, len(list))])
}

// undoKills returns the cases in which the worker dies in an undo, of a rollout whose
// cloud never gives an address.
func undoKills(undone []string, random *rand.Rand) (cases []chaos) {
	for _, a := range undone {
		kill := a + ":" + moments[random.IntN(len(moments))]
		cases = append(cases, chaos{Family: "worker killed while it undoes", Name: "undo " + kill, kills: []string{kill}, mayFail: true,
			fleet:   "  gateways: {loadBalancerTimeout: 4s}\n  rollout: {stepTimeout: 60s, undoTimeout: 60s, skipProof: true}\n",
			rollout: cloudNever})
	}
	return cases
}

// standaloneKills returns the cases that kill landbridge-standalone, which is Temporal
// and worker in one, at moments drawn from the seed.
func standaloneKills(n int, random *rand.Rand) (cases []chaos) {
	for range n {
		a, b := moment(10*time.Second, random), moment(16*time.Second, random)
		cases = append(cases, chaos{Family: "standalone killed", queue: queueStandalone, Name: fmt.Sprintf("standalone at %s and %s", a, b),
			rollout: killStandalone(a), cleanup: killStandalone(b)})
	}
	return cases
}

// moment returns a moment within a command of about that length. It is later than the
// command needs to begin, since without a Temporal a command ends at once.
func moment(length time.Duration, random *rand.Rand) time.Duration {
	const begun = 1500 * time.Millisecond
	return begun + time.Duration(random.Int64N(int64(length-begun))).Truncate(time.Millisecond)
}

func killStandalone(at time.Duration) disturbance {
	return later(at, func(_ context.Context, s *scene) {
		s.killed = append(s.killed, time.Now())
		s.standalone.kill()
	})
}
