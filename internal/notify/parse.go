package notify

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// form tells how a file with channels looks.
const form = "want lines of the form `CHANNEL: {url: https://…, format: json, key: whsec_…}`, where format is json or slack, and format and key may be left out"

// validName keeps to what a fleet file may call a channel.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// fieldName matches what may be shown of a field that nobody knows: a secret is longer.
var fieldName = regexp.MustCompile(`^[A-Za-z_-]{1,16}$`)

// Parse reads a file with channels, which is YAML. The error names the line, tells what to
// do, and repeats neither a URL nor a key.
func Parse(text []byte) (Channels, error) {
	// The YAML library counts the lines of files from Windows wrongly.
	file, err := parser.ParseBytes([]byte(strings.ReplaceAll(string(text), "\r\n", "\n")), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, notYAML(err)
	}
	channels, documents := Channels{}, 0
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if documents++; documents > 1 {
			return nil, at(d.Body, "a second document begins here; %s", form)
		}
		if err := channels.read(d.Body); err != nil {
			return nil, err
		}
	}
	if len(channels) == 0 {
		return nil, fmt.Errorf("it has no channel; %s", form)
	}
	return channels, nil
}

// read adds the channels of a document.
func (c Channels) read(doc ast.Node) error {
	entries, ok := mapping(doc)
	if !ok {
		return at(doc, "%s", form)
	}
	for _, e := range entries {
		name, ok := text(e.Key)
		switch {
		case !ok || !validName.MatchString(name): // it may be a URL
			return at(e.Key, "the name of a channel has lower case letters, digits and -, starting and ending with a letter or digit; %s", form)
		case c[name] != nil:
			return at(e.Key, "the channel %s is there twice: leave one out", name)
		}
		channel, err := readChannel(e.Value)
		if err != nil {
			return at(e.Key, "channel %s: %w", name, err)
		}
		c[name] = channel
	}
	return nil
}

// readChannel makes a channel of a mapping.
func readChannel(n ast.Node) (*Channel, error) {
	entries, ok := mapping(n)
	if !ok {
		return nil, errors.New(form)
	}
	fields := map[string]string{}
	for _, e := range entries {
		name, _ := text(e.Key)
		if name != "url" && name != "format" && name != "key" {
			shown := "a field"
			if fieldName.MatchString(name) {
				shown = fmt.Sprintf("a field %q", name)
			}
			return nil, fmt.Errorf("there is no %s; leave it out, or write url, format or key", strings.TrimPrefix(shown, "a "))
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("%s: is there twice; leave one out", name)
		}
		if fields[name], ok = text(e.Value); !ok || fields[name] == "" {
			return nil, fmt.Errorf("%s: want a text on one line; %s", name, form)
		}
	}
	return newChannel(fields["url"], fields["format"], fields["key"])
}

// mapping returns the entries of a mapping.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// text returns the text that a node holds. A number is none, but for the name of a channel.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.String(), true
	}
	return "", false
}

// at returns an error about a place in the file.
func at(n ast.Node, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if t := n.GetToken(); t != nil && t.Position != nil {
		return fmt.Errorf("line %d: %w", t.Position.Line, err)
	}
	return err
}

// notYAML says where the file is no YAML. The library's own words may quote the file.
func notYAML(err error) error {
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		return fmt.Errorf("line %d: not YAML; look at the indentation and the quotes here", ye.GetToken().Position.Line)
	}
	return errors.New("not YAML; look at the indentation and the quotes")
}
