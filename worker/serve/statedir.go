package serve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// StateDir returns a directory for what must survive: one of that name below
// landbridge, in $XDG_STATE_HOME or else in ~/.local/state.
func StateDir(name string) (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the state directory: %w; set XDG_STATE_HOME", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "landbridge", name), nil
}

// StateDirHelp says in a flag's help where StateDir looks.
func StateDirHelp(name string) string {
	return fmt.Sprintf("(default %s, or below $XDG_STATE_HOME)", filepath.Join("~", ".local", "state", "landbridge", name))
}

// CheckStateDir refuses what is there and no directory. One that is not there is
// made when it is needed.
func CheckStateDir(flag, dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return checkDir(flag, dir)
}
