package lab

import (
	"context"
	"time"
)

// readyTimeout limits what is ready within seconds where nothing is wrong.
const readyTimeout = 90 * time.Second

// until looks, with the given time in between, until a look says that it ended,
// well or not. At the limit the error is the last look's.
func until(ctx context.Context, limit, every time.Duration, look func(context.Context) (ended bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		ended, err := look(ctx)
		if ended {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(every):
		}
	}
}
