package serve

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError marks a mistake of whoever started the program: trying again will not help.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// loggedError marks what the log has told, so that it is told once.
type loggedError struct{ error }

func (e *loggedError) Unwrap() error { return e.error }

// flagError turns the flag library's errors into sentences that say what to do.
func (p *Program) flagError(_ *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bad     *pflag.InvalidValueError
		lacks   *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		err = fmt.Errorf("there is no flag -%.1s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		err = fmt.Errorf("there is no flag --%s", unknown.GetSpecifiedName())
	case errors.As(err, &bad):
		err = fmt.Errorf("--%s: %w, got %q", bad.GetFlag().Name, errors.Unwrap(bad), bad.GetValue())
	case errors.As(err, &lacks):
		err = fmt.Errorf("--%s needs a value", lacks.GetFlag().Name)
	}
	return &usageError{fmt.Errorf("%w; `%s --help` lists the flags", err, p.Name)}
}

func (p *Program) noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("%q is not a flag, and %s takes nothing else; `%s --help` lists the flags", args[0], p.Name, p.Name)}
}

// checkDir says what is wrong with a directory that must be there.
func checkDir(flag, dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: there is no directory %q: make it, or name another", flag, dir)
	case err != nil:
		return fmt.Errorf("%s: %w: name a directory that this user may read", flag, err)
	case !info.IsDir():
		return fmt.Errorf("%s: %q is not a directory: name one", flag, dir)
	}
	return nil
}
