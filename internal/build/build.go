// Package build tells which build of Landbridge a program is.
package build

import "runtime/debug"

// Unknown stands for a build that nobody gave a version.
const Unknown = "devel"

// version is set by the linker for a release: -X …/internal/build.version=v1.2.3.
var version = ""

// Version returns the release, for a build from source what Go recorded of the
// commit, and else Unknown.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Unknown
	}
	return recorded(info)
}

// recorded reads what Go wrote into the program.
func recorded(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return Unknown + "-" + s.Value[:12]
		}
	}
	return Unknown
}
