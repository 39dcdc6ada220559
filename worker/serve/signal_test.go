package serve

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asProgram has the test binary be the program, so that a test can send it signals.
const asProgram = "LANDBRIDGE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		program := Program{Name: "tested", Temporal: &Elsewhere{}}
		program.Main()
	}
	os.Exit(m.Run())
}

func TestMain_SignalsAndMistakes_HaveTheirExitCodes(t *testing.T) {
	f := newFrontend(t)
	for name, c := range map[string]struct {
		args   []string
		signal syscall.Signal
		code   int
	}{
		"SIGTERM":     {[]string{"--address", f.address}, syscall.SIGTERM, ExitEnded},
		"SIGINT":      {[]string{"--address", f.address}, syscall.SIGINT, ExitEnded},
		"no Temporal": {[]string{"--address", "127.0.0.1:1"}, 0, ExitFailed},
		"a typo":      {[]string{"--adress", f.address}, 0, ExitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			for len(f.polls) > 0 {
				<-f.polls
			}
			var out bytes.Buffer
			cmd := exec.Command(os.Args[0], c.args...)
			cmd.Env = append(os.Environ(), asProgram+"=1", "HOME="+t.TempDir())
			cmd.Stdout, cmd.Stderr = &out, &out
			require.NoError(t, cmd.Start())
			if c.signal != 0 {
				select {
				case <-f.polls: // it serves
				case <-time.After(limit):
					_ = cmd.Process.Kill()
				}
				require.NoError(t, cmd.Process.Signal(c.signal))
			}
			err := cmd.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = nil
			}
			require.NoError(t, err)
			require.Equal(t, c.code, cmd.ProcessState.ExitCode(), &out)
		})
	}
}
