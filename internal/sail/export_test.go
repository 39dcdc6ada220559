package sail

import "time"

// Since pretends that the wait began at another time.
func (a *Asking) Since(t time.Time) { a.since = t }
