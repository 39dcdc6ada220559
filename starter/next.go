package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landbridge/landbridge/internal/api"
)

// holds tells what a run waits for, what failed before, and the commands among which a person
// chooses now; or nothing.
func (p progress) holds() []string {
	switch {
	case p.Paused:
		return []string{fmt.Sprintf("paused; `landbridge resume %s` lets it go on", p.Fleet)}
	case p.Phase != api.PhaseApproval: // something may be retried while a wave waits
		return nil
	}
	out := []string{fmt.Sprintf("wave %s waits; `landbridge approve %s --wave %[1]s --reason …` lets it begin", p.WaitsFor, p.Fleet)}
	end := fmt.Sprintf("`landbridge cancel %s --reason …` ends it here", p.Fleet)
	var failed []api.Unit
	for _, u := range p.Status.Units {
		if u.State.IsFailure() && !u.Removal {
			failed = append(failed, u.Unit)
		}
	}
	if len(failed) == 0 {
		return append(out, "nothing failed before it; "+end)
	}
	return append(out, "failed before it: "+someOf(unitNames(failed)),
		fmt.Sprintf("`landbridge retry %s %s` tries again, `landbridge skip %[1]s %[2]s --reason …` leaves it out, %[3]s", p.Fleet, unitFlag(failed[0]), end))
}

func unitNames(units []api.Unit) (out []string) {
	for _, u := range units {
		out = append(out, u.String())
	}
	return out
}

// unitFlag names a unit as retry and skip take it.
func unitFlag(u api.Unit) string {
	if l, ok := u.Link(); ok {
		return "--link " + l.From + "." + l.To
	}
	name, _ := u.Member()
	return "--cluster " + name
}

// next returns the command to type after a run that did not end well, or nothing where the
// error has told it. A rotation renews what renews says.
func next(typ, fleetName, renews string, end error) string {
	var coded *exitError
	if !errors.As(end, &coded) || coded.code == exitUsage || coded.code == exitDetached {
		return ""
	}
	switch typ {
	case api.RolloutFleet:
		return fmt.Sprintf("next: once the cause is gone, `landbridge retry %s` tries again what is missing, with the same fleet file and flags", fleetName)
	case api.CleanupFleet:
		return fmt.Sprintf("next: once the cause is gone, `landbridge cleanup %s` removes the rest", fleetName)
	case api.RotateFleet:
		if line := nextOfRoot(fleetName, renews); line != "" {
			return line
		}
		return fmt.Sprintf("next: once the cause is gone, `landbridge rotate %s --%s` renews the rest", fleetName, renews)
	}
	return ""
}

// withNext adds to the error of a run the command to type now.
func withNext(end error, typ, fleetName, renews string) error {
	var coded *exitError
	line := next(typ, fleetName, renews, end)
	if line == "" || !errors.As(end, &coded) || coded.err == nil {
		return end
	}
	return &exitError{coded.code, errors.New(strings.TrimRight(coded.Error(), "\n") + "\n" + line)}
}
