// Package build tells which build this is.
package build

import "runtime/debug"

// version is set by the linker for a release: -X …/internal/build.version=v1.2.3.
var version = ""

// Version is the release, or for a build from source the commit.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
