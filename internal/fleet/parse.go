package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileSize in bytes keeps a mistaken path from filling the memory, and a
// fleet below Temporal's payload limit.
const maxFileSize = 1 << 20

// Load reads, defaults and validates the fleet file at path. The error is an
// *InvalidError where the file is there but cannot be used.
func Load(path string) (*Fleet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the fleet file: %w", err)
	}
	if info.Size() > maxFileSize {
		return nil, &InvalidError{File: path, Problems: []Problem{{Message: "the file is larger than 1 MiB; is it a fleet file?"}}}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the fleet file: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a fleet file strictly, fills in the defaults and validates it.
// All problems are reported at once, of shape and of meaning, each with its place
// in the file, as an *InvalidError that calls the file by the given name.
func Parse(name string, data []byte) (*Fleet, error) {
	// The YAML library counts the lines of files from Windows wrongly.
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\uFEFF"), "\r\n", "\n")
	ps := newProblems(strings.Split(text, "\n"))
	f := &Fleet{}
	if root := ps.document(text); root != nil {
		ps.decode(root, f)
		f.SetDefaults()
		validate(f, ps)
		validateLabels("spec.gateways.eastWest", f.Spec.Gateways.EastWest, ps)
		for i, c := range f.Spec.Clusters {
			validateLabels(fmt.Sprintf("spec.clusters[%d].gateways.eastWest", i), c.Gateways.EastWest, ps)
			if c.From != "" {
				ps.add(fmt.Sprintf("spec.clusters[%d].from", i), "Landbridge sets it at the clusters that spec.clustersFrom lists; leave it out")
			}
		}
		for i, s := range f.Spec.ClustersFrom {
			validateLabels(fmt.Sprintf("spec.clustersFrom[%d].gateways.eastWest", i), s.Gateways.EastWest, ps)
		}
	}
	if err := ps.err(name); err != nil {
		return nil, err
	}
	return f, nil
}

// document returns the one document of a file, or reports why there is none.
func (ps *problems) document(text string) ast.Node {
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		ps.notYAML(err)
		return nil
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) == 1 {
		return docs[0]
	}
	var second place
	if len(docs) > 1 {
		second, _ = start(docs[1])
	}
	ps.report(second, "", fmt.Sprintf("want one document of kind %s, found %d; `landbridge init` writes one to start from", Kind, len(docs)))
	return nil
}

func (ps *problems) notYAML(err error) {
	var at place
	message := err.Error()
	var ye yaml.Error
	if errors.As(err, &ye) {
		message = ye.GetMessage()
		if t := ye.GetToken(); t != nil {
			at = place{t.Position.Line, t.Position.Column}
		}
	}
	message = strings.ReplaceAll(message, "\t", `\t`)
	ps.report(at, "", "not YAML: "+message+"; look at the indentation and the quotes here")
}

// decode fills in the fleet with all that has the right shape.
func (ps *problems) decode(root ast.Node, f *Fleet) {
	data, err := json.Marshal(ps.read(root, reflect.TypeFor[Fleet](), ""))
	if err == nil {
		err = json.Unmarshal(data, f)
	}
	if err != nil {
		ps.wrong("", "%v", err)
	}
}
