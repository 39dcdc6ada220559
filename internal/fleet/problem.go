package fleet

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong with a fleet file.
type Problem struct {
	// Line and Column in the file, from 1; 0 where the file has no such place.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path of the field, such as spec.clusters[1].name.
	Path string `json:"path,omitempty"`
	// Message says what is wrong and what to do.
	Message string `json:"message"`
}

// InvalidError is a fleet file that cannot be used, with all that is wrong with it.
type InvalidError struct {
	// File is the name that the caller gave, for the message.
	File     string    `json:"file"`
	Problems []Problem `json:"problems"`
}

// Error lists every problem on a line of its own, in the order of the file.
func (e *InvalidError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		at := e.File
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d:%d", e.File, p.Line, p.Column)
		}
		if p.Path != "" {
			at += ": " + p.Path
		}
		lines = append(lines, at+": "+p.Message)
	}
	return strings.Join(lines, "\n")
}

// problems gathers what is wrong, and knows where in the file each path stands.
type problems struct {
	list []Problem
	at   map[string][2]int
}

func (p *problems) add(path, format string, args ...any) {
	pr := Problem{Path: path, Message: fmt.Sprintf(format, args...)}
	// A field that is missing is reported at the nearest parent that is there.
	for at := path; ; {
		if pos, ok := p.at[at]; ok {
			pr.Line, pr.Column = pos[0], pos[1]
			break
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	p.list = append(p.list, pr)
}

// err returns what was gathered, in the order of the file, or nil.
func (p *problems) err(file string) error {
	if len(p.list) == 0 {
		return nil
	}
	sort.SliceStable(p.list, func(i, j int) bool {
		a, b := p.list[i], p.list[j]
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	return &InvalidError{File: file, Problems: p.list}
}
