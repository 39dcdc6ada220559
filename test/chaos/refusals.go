package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
)

// refusals returns the cases in which every pair of verb and kind that a rollout or a
// cleanup uses fails, in some of the ways in which API servers fail, drawn from the seed:
// in each case one pair on each API server, in the rollout and in the cleanup.
func refusals(rollout, cleanup sets.Set[pair], ways int, random *rand.Rand) (cases []chaos) {
	first, second := faultsOf(rollout, 2*ways, random), faultsOf(cleanup, ways, random)
	for n := 0; n < max(len(first), len(second)); n += 2 {
		f, s := part(first, n), part(second, n)
		cases = append(cases, chaos{Family: "API server refuses", Name: fmt.Sprintf("api rollout %s cleanup %s", f, s),
			rollout: refuse(f), mayFail: final(f), cleanup: refuse(s), mayLeave: final(s)})
	}
	return cases
}

// final tells whether one of the faults does not pass.
func final(rules []rule) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.times == 0 })
}

// faultsOf draws a number of different faults for each pair.
func faultsOf(pairs sets.Set[pair], ways int, random *rand.Rand) (rules []rule) {
	sorted := pairs.UnsortedList()
	slices.SortFunc(sorted, func(a, b pair) int { return strings.Compare(a.String(), b.String()) })
	random.Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
	for _, p := range sorted {
		for _, i := range random.Perm(len(faults))[:min(ways, len(faults))] {
			rules = append(rules, rule{pair: p, fault: faults[i], times: once[faults[i]]})
		}
	}
	return rules
}

// refuse sets a rule on each API server while a command runs.
func refuse(rules []rule) disturbance {
	return func(_ context.Context, s *scene) func() {
		for i := range rules {
			s.proxies[s.clusters[i]].set(&rules[i])
		}
		return func() {
			for i := range rules {
				p := s.proxies[s.clusters[i]]
				s.faults += p.count()
				p.set(nil)
			}
		}
	}
}

// cutOff returns what makes a cluster's API server unreachable for some time, or with 0
// for good.
func cutOff(long time.Duration) func(context.Context, *scene) {
	return func(ctx context.Context, s *scene) {
		p := s.proxies[s.clusters[len(s.clusters)-1]]
		p.set(&rule{fault: faultUnreachable})
		s.faults++
		if long > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(long):
			}
			p.set(nil)
		}
	}
}

// unreachable returns the cases in which an API server does not answer.
func unreachable() []chaos {
	const patient = "  gateways: {loadBalancerTimeout: 45s}\n  rollout: {stepTimeout: 3m, undoTimeout: 3m, skipProof: true}\n"
	const hasty = "  gateways: {loadBalancerTimeout: 45s}\n  rollout: {stepTimeout: 20s, undoTimeout: 15s, skipProof: true}\n"
	return []chaos{
		{Family: "API server unreachable", Name: "unreachable for a minute in the rollout", fleet: patient, rollout: after(anyWrite, time.Second, cutOff(time.Minute))},
		{Family: "API server unreachable", Name: "unreachable for a minute in the cleanup", fleet: patient, cleanup: after(anyWrite, time.Second, cutOff(time.Minute))},
		{Family: "API server unreachable", Name: "unreachable for good from the first step on", fleet: hasty, rollout: later(0, cutOff(0)), mayFail: true, mayLeave: true},
		{Family: "API server unreachable", Name: "unreachable for good in the rollout", fleet: hasty, rollout: after(anyWrite, 500*time.Millisecond, cutOff(0)), mayFail: true, mayLeave: true},
		{Family: "API server unreachable", Name: "unreachable for good in the links", fleet: hasty, rollout: after(linksBegin, 0, cutOff(0)), mayFail: true, mayLeave: true},
		{Family: "API server unreachable", Name: "unreachable for good in the cleanup", fleet: hasty, cleanup: after(anyWrite, 2*time.Second, cutOff(0)), mayLeave: true},
	}
}
