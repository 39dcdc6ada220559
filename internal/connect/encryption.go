package connect

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Encryption says with which keys payloads are encrypted, or with none.
type Encryption struct{ KeyFile string }

// Bind adds the flag to a command.
func (e *Encryption) Bind(fs *pflag.FlagSet) {
	fs.StringVar(&e.KeyFile, "codec-key-file", "", "file with the keys that encrypt what Temporal keeps (default $"+codec.Variable+", or nothing is encrypted); 'landbridge codec keygen' makes one")
}

// Keys reads the key file. Without one there are no keys, and that is no error.
func (e Encryption) Keys() (*codec.Keys, error) {
	file, named := e.KeyFile, "--codec-key-file"
	if file == "" {
		file, named = os.Getenv(codec.Variable), codec.Variable
	}
	keys, err := codec.Load(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", named, err)
	}
	return keys, nil
}

// Readable returns why the last run that changed a fleet cannot be read with these keys, or
// nil. Who starts another one without the key would write in the clear what the last one
// encrypted, and could not read the answer.
func Readable(ctx context.Context, c client.Client, name string) error {
	_, err := c.DescribeWorkflowExecution(ctx, fleet.WorkflowID(name), "")
	if why := codec.Unreadable(err); why != nil {
		return why
	}
	return nil // what else is wrong, the next request says
}
