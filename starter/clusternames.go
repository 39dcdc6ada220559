package main

import (
	"fmt"
	"regexp"
	"strings"
)

// longestName bounds the name of a cluster; a fleet file refuses longer ones.
const longestName = 23

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// spelled returns a word in lower-case letters, digits and hyphens. It leaves out -to-,
// which stands between source and target in the names of identities.
func spelled(word string) string {
	word = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(word), "-"), "-")
	for strings.Contains(word, "-to-") {
		word = strings.ReplaceAll(word, "-to-", "-")
	}
	return word
}

// legal returns a word as a cluster may be called.
func legal(word string) string {
	if word = spelled(word); len(word) > longestName {
		word = strings.Trim(word[:longestName], "-")
	}
	return word
}

// joined returns a name with what tells it apart, within the limit. The name keeps its
// first characters, and as much as it can leave of the rest.
func joined(name, apart string) string {
	const kept = 8
	apart = spelled(apart)
	if room := longestName - 1 - min(len(name), kept); len(apart) > room {
		apart = strings.Trim(apart[:room], "-")
	}
	if room := longestName - 1 - len(apart); len(name) > room {
		name = strings.Trim(name[:room], "-")
	}
	return legal(name + "-" + apart)
}

// named holds a cluster's name, and why it is not the one that its identity gives.
type named struct{ Name, Note string }

// distinct gives each identity a legal name that no other one has.
func distinct(ids []identity) []named {
	out, alike, used := make([]named, len(ids)), map[string][]int{}, map[string]bool{}
	var order []string
	for i, id := range ids {
		name := legal(id.Name)
		if name == "" {
			name = "cluster"
		}
		if out[i].Name = name; len(spelled(id.Name)) > longestName {
			out[i].Note = fmt.Sprintf("shortened to %d characters", longestName)
		}
		if !used[name] {
			order = append(order, name)
		}
		alike[name], used[name] = append(alike[name], i), true
	}
	for _, name := range order {
		if group := alike[name]; len(group) > 1 && !toldApart(ids, group, out, used) {
			number(group, out, used)
		}
	}
	return out
}

// toldApart names the clusters of a group by the first thing that differs in all of
// them, and reports whether there is one. One cluster may lack it and keep its name.
func toldApart(ids []identity, group []int, out []named, used map[string]bool) bool {
	most := 0
	for _, i := range group {
		most = max(most, len(ids[i].Apart))
	}
	for level := range most {
		names, plain, fits := map[string]bool{}, 0, true
		for _, i := range group {
			if level >= len(ids[i].Apart) {
				plain++
				continue
			}
			name := joined(out[i].Name, ids[i].Apart[level])
			fits = fits && !names[name] && !used[name]
			names[name] = true
		}
		if !fits || plain > 1 {
			continue
		}
		for _, i := range group {
			if level < len(ids[i].Apart) {
				rename(&out[i], joined(out[i].Name, ids[i].Apart[level]), used)
			}
		}
		return true
	}
	return false
}

// number leaves the first of a group its name, and numbers the others.
func number(group []int, out []named, used map[string]bool) {
	for n, next := 1, 2; n < len(group); next++ {
		if name := joined(out[group[n]].Name, fmt.Sprint(next)); !used[name] {
			rename(&out[group[n]], name, used)
			n++
		}
	}
}

func rename(n *named, name string, used map[string]bool) {
	note := fmt.Sprintf("another one is called %s too", n.Name)
	if n.Note != "" {
		note = n.Note + "; " + note
	}
	n.Name, n.Note, used[name] = name, note, true
}
