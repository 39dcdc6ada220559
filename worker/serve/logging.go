package serve

import (
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// The formats of a log.
const (
	logText = "text"
	logJSON = "json"
)

// Logging says how a program logs, to stderr.
type Logging struct {
	// Format of each line: text or json.
	Format string
	// Level below which nothing is logged: debug, info, warn or error.
	Level string
	level slog.Level
}

// Bind adds the flags to a command.
func (l *Logging) Bind(fs *pflag.FlagSet) {
	fs.StringVar(&l.Format, "log-format", logText, "format of the log on stderr: text, or json with an object for each line")
	fs.StringVar(&l.Level, "log-level", "info", "what to log: debug, info, warn or error, each with what is worse")
}

// Complete reads the level, and says what is wrong.
func (l *Logging) Complete() error {
	if l.Format != logText && l.Format != logJSON {
		return fmt.Errorf("--log-format: want %s or %s, got %q", logText, logJSON, l.Format)
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	var ok bool
	if l.level, ok = levels[l.Level]; !ok {
		return fmt.Errorf("--log-level: want debug, info, warn or error, got %q", l.Level)
	}
	return nil
}

// kubernetes has Kubernetes' client log as the program does. It has one logger for the whole
// process, which must not be replaced while it is used.
var kubernetes sync.Once

// New returns the logger of a program that writes there.
func (l *Logging) New(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.level}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if l.Format == logJSON {
		h = slog.NewJSONHandler(w, o)
	}
	logger := slog.New(h)
	kubernetes.Do(func() { klog.SetSlogLogger(logger) })
	return logger
}
