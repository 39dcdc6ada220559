package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// plain returns a name from a kubeconfig, quoted where a terminal could take it for more
// than a name.
func plain(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// taken holds what init shows of its choices.
type taken struct {
	files   []kubeconfig
	choices []choice
}

// dirs returns the directories of the kubeconfigs that were taken.
func (t taken) dirs() (out []string) {
	for _, c := range t.choices {
		if c.Taken >= 0 && c.file.Dir != "" && !slices.Contains(out, c.file.Dir) {
			out = append(out, c.file.Dir)
		}
	}
	return out
}

// print shows which cluster each context became and why, or why it became none.
func (t taken) print(w io.Writer, clusters []initCluster) {
	many := len(t.files) > 1
	row := func(tbl *table, file string, cells ...string) {
		if many {
			cells = append([]string{file}, cells...)
		}
		tbl.row(cells...)
	}
	head := []string{"CONTEXT", "CLUSTER", "SERVER", "NOTE"}
	if many {
		head = append([]string{"FILE"}, head...)
	}
	tbl := newTable(w, head...)
	for _, c := range t.choices {
		name, note := "-", "left out: "+c.Why
		if c.Taken >= 0 {
			name, note = clusters[c.Taken].Name, t.note(c, clusters[c.Taken])
		}
		row(tbl, plain(c.file.Path), plain(c.Context), name, c.shown(), note)
	}
	for _, k := range t.files {
		if k.Why != "" {
			row(tbl, plain(k.Path), "-", "-", "-", "left out: "+k.Why)
		}
	}
	tbl.flush()
}

// note tells why a context became this cluster.
func (t taken) note(c choice, cluster initCluster) string {
	var notes []string
	switch c.Platform {
	case "":
	case "OpenShift": // what tells it apart is its domain, which the server shows
		notes = append(notes, c.Platform)
	default:
		notes = append(notes, strings.Join(append([]string{c.Platform}, c.Apart...), " "))
	}
	if cluster.Note != "" {
		notes = append(notes, cluster.Note)
	}
	if alike := t.alike(c); alike > 1 {
		notes = append(notes, fmt.Sprintf("taken from %d contexts of its API server: %s", alike, t.reason(c)))
	}
	if c.Note != "" {
		notes = append(notes, c.Note)
	}
	return cmp.Or(strings.Join(notes, "; "), "-")
}

// alike counts the contexts of one API server.
func (t taken) alike(c choice) (n int) {
	for _, other := range t.choices {
		if other.key == c.key && other.key != "" {
			n++
		}
	}
	return n
}

func (t taken) reason(c choice) string {
	for _, other := range t.choices {
		if other.key == c.key {
			if other.Taken >= 0 {
				return "the first"
			}
			break
		}
	}
	return "the current one"
}
