package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Applied tells which fleet file was applied last, when, and on whose behalf.
type Applied struct {
	// Generation counts the fleet files that were applied, each time that another one was.
	Generation int64 `json:"generation"`
	// Digest of the fleet file with its defaults, and with what was chosen for it.
	Digest string `json:"digest"`
	// At is when it was applied for the first time.
	At time.Time `json:"at"`
	Request
}

// Same tells whether both are of one rollout.
func (a Applied) Same(b Applied) bool { return a.Generation == b.Generation && a.Digest == b.Digest }

// Next returns what the members remember of a fleet file from now on: what they remember
// already, where it is the same file, or else the next generation.
func (a Applied) Next(f *Fleet, at time.Time, by Request) Applied {
	digest := digest(f)
	if digest == a.Digest {
		return a
	}
	return Applied{Generation: a.Generation + 1, Digest: digest, At: at.UTC().Truncate(time.Second), Request: by}
}

// digest returns a short hash of v as JSON.
func digest(v any) string {
	sum := sha256.Sum256(asJSON(v))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// asJSON returns v as JSON. The library ranges over maps, and yet its result is always the
// same, since JSON's keys are sorted; so a workflow may call this.
//
//workflowcheck:ignore
func asJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("what came from JSON is no JSON any more: %v", err))
	}
	return data
}

// Newest returns what was applied last, as far as these members remember.
func Newest(memories []Memory) (last Applied) {
	for _, m := range memories {
		if m.Applied.Generation > last.Generation {
			last = m.Applied
		}
	}
	return last
}
