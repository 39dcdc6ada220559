package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// choice holds a context, and what init made of it.
type choice struct {
	entry
	file kubeconfig
	// key of the API server.
	key string
	identity
	// Taken is the place among the draft's clusters, or -1.
	Taken int
}

// candidates returns the contexts with these names, in that order, or all of them.
func candidates(files []kubeconfig, contexts []string) ([]choice, error) {
	var out []choice
	add := func(k kubeconfig, context string) {
		e := k.open(context)
		c := choice{entry: e, file: k, Taken: -1}
		if e.Why == "" {
			c.key, c.identity = e.key(), identify(e, k.about())
		}
		out = append(out, c)
	}
	for _, k := range files {
		if len(contexts) > 0 {
			break
		}
		for _, context := range k.contexts() {
			add(k, context)
		}
	}
	for _, context := range contexts {
		before := len(out)
		for _, k := range files {
			if slices.Contains(k.contexts(), context) {
				add(k, context)
			}
		}
		if len(out) == before {
			return nil, noContext(files, context)
		}
		if why := out[before].Why; why != "" && len(out) == before+1 {
			return nil, fmt.Errorf("context %q cannot be a cluster: %s", context, why)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the kubeconfig has no contexts; name another with --kubeconfig")
	}
	joinRancher(out)
	return out, nil
}

// noContext returns the error of a context that is in no kubeconfig, with those that are.
func noContext(files []kubeconfig, context string) error {
	var have []string
	for _, k := range files {
		if names := k.contexts(); len(names) > 0 {
			have = append(have, fmt.Sprintf("%s has %s", k.place(), someOf(names)))
		}
	}
	return fmt.Errorf("--context: there is no context %q: %s; name one of them, or another file with --kubeconfig", context, strings.Join(have, "; "))
}

// place names a kubeconfig for people.
func (k kubeconfig) place() string {
	if k.Path == "" {
		return "the default kubeconfig ($KUBECONFIG, or ~/.kube/config)"
	}
	return filepath.Join(k.Dir, k.Path)
}

// joinRancher gives the contexts that lead past Rancher the key of those that lead
// through it: they are one cluster.
func joinRancher(all []choice) {
	for i := range all {
		for _, other := range all {
			if all[i].Why == "" && other.Why == "" && all[i].file.Path == other.file.Path && all[i].besideRancher(other.entry) {
				all[i].key = other.key
			}
		}
	}
}

// take marks one context for each API server: the current one of its file, or the first
// one. Where contexts were named, the first of them goes before the current one.
func take(all []choice, inOrder bool) (taken []*choice) {
	at := map[string]int{}
	for i := range all {
		c := &all[i]
		if c.Why != "" {
			continue
		}
		n, known := at[c.key]
		switch {
		case !known:
			at[c.key] = len(taken)
			taken = append(taken, c)
		case c.Current && !taken[n].Current && !inOrder:
			taken[n] = c
		}
	}
	for i, c := range taken {
		c.Taken = i
	}
	for i := range all {
		c := &all[i]
		if c.Why != "" || c.Taken >= 0 {
			continue
		}
		other := taken[at[c.key]]
		c.Why = "the same API server as " + plain(other.Context)
		if c.throughRancher() != other.throughRancher() {
			c.Why = "the same cluster as " + plain(other.Context) + ", which Rancher leads to by two ways"
		}
		if c.file.Path != other.file.Path {
			c.Why += " of " + plain(other.file.Path)
		}
	}
	return taken
}
