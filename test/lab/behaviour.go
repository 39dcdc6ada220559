package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const behaviourFile = "behaviour.json"

// Behaviour tells the cloud, the Sail stand-in, the platform, admission and the exec
// plugin how to act. It can be changed while the lab runs: all read it before each look.
type Behaviour struct {
	Cloud CloudBehaviour `json:"cloud"`
	Sail  SailBehaviour  `json:"sail"`
	// Platform lists the habits of the platform: what it puts into namespaces.
	Platform []string `json:"platform,omitempty"`
	// Admission lists the habits of admission: what it makes of writes, or refuses.
	Admission []string        `json:"admission,omitempty"`
	Plugin    PluginBehaviour `json:"plugin"`
}

// CloudBehaviour tells the cloud how to give addresses.
type CloudBehaviour struct {
	// Delay comes before an address is given, and before it is taken back.
	Delay time.Duration `json:"delay"`
	// Failures counts the tries that fail before one works.
	Failures int `json:"failures"`
	// Never gives an address.
	Never bool `json:"never"`
	// Address says which kind is given: ip or hostname.
	Address string `json:"address"`
	// Generation changes every address when it changes.
	Generation int `json:"generation"`
	// Only limits Never and Failures to one cluster.
	Only string `json:"only,omitempty"`
}

// SailBehaviour tells the Sail stand-in how to install Istio.
type SailBehaviour struct {
	// Delay comes before Istio is healthy.
	Delay time.Duration `json:"delay"`
	// Lag passes, once to four times, before the operator gets round to a change or a
	// deletion. Until then Istio says what was true before.
	Lag time.Duration `json:"lag"`
	// Away stops the operator: AwayAll, or AwayAfterSeeing.
	Away string `json:"away,omitempty"`
	// Error makes every reconciliation end with it.
	Error string `json:"error,omitempty"`
	// Older makes the operator that of the release before: it lacks the newest patch of
	// each minor release, and its aliases stand for older ones.
	Older bool `json:"older,omitempty"`
	// Only limits Error and Older to one cluster.
	Only string `json:"only,omitempty"`
}

// The values of SailBehaviour.Away. AwayAfterSeeing stops it once it has seen a change
// of Istio: the revision is written and never installed.
const (
	AwayAll         = "all"
	AwayAfterSeeing = "after-seeing"
)

// Validate says what is wrong with a behaviour.
func (b Behaviour) Validate() error {
	if b.Cloud.Address != "ip" && b.Cloud.Address != "hostname" {
		return fmt.Errorf("--cloud-address: want ip or hostname, got %q", b.Cloud.Address)
	}
	if b.Cloud.Failures < 0 || b.Cloud.Delay < 0 || b.Sail.Delay < 0 || b.Sail.Lag < 0 {
		return fmt.Errorf("delays and failures cannot be negative")
	}
	for _, list := range []struct {
		flag       string
		want, have []string
	}{{"--platform", platformHabits, b.Platform}, {"--admission", admissionHabits, b.Admission}} {
		for _, h := range list.have {
			if !slices.Contains(list.want, h) {
				return fmt.Errorf("%s: want some of %s, got %q", list.flag, strings.Join(list.want, ", "), h)
			}
		}
	}
	if f := b.Plugin.Fault; f != "" && !slices.Contains(pluginFaults, f) {
		return fmt.Errorf("--plugin: want one of %s, got %q", strings.Join(pluginFaults, ", "), f)
	}
	if a := b.Sail.Away; a != "" && a != AwayAll && a != AwayAfterSeeing {
		return fmt.Errorf("--sail-away: want %s or %s, got %q", AwayAll, AwayAfterSeeing, a)
	}
	return nil
}

// Save makes a lab act so from now on.
func (b Behaviour) Save(dir string) error {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+behaviourFile)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, behaviourFile))
}

// LoadBehaviour reads how a lab acts now.
func LoadBehaviour(dir string) (Behaviour, error) {
	var b Behaviour
	data, err := os.ReadFile(filepath.Join(dir, behaviourFile))
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(data, &b)
}
