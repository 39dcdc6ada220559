package workflows

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/api"
)

// tables holds all steps, by the unit that they belong to.
var tables = map[string]*table{"root": rootSteps, "member": memberSteps, "source": sourceSteps, "link": linkSteps}

// activityName returns the name under which an activity is registered.
func activityName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")
}

func TestSteps_EveryRemoveIsTheUndoOfOneStep(t *testing.T) {
	var undone []string
	for _, tab := range tables {
		for _, s := range tab.steps {
			if s.undo != nil {
				undone = append(undone, activityName(s.undo))
			}
		}
	}
	var removes []string
	for m := range reflect.TypeFor[*activities.Activities]().Methods() {
		if strings.HasPrefix(m.Name, "Remove") {
			removes = append(removes, m.Name)
		}
	}
	require.ElementsMatch(t, removes, undone)
}

func TestSteps_EveryPolicyHasAnEndAndAHeartbeat(t *testing.T) {
	l := limitsOf(testFleet("east", "west"))
	policies := map[string]func(limits) any{}
	for name, tab := range tables {
		for _, s := range tab.steps {
			policies[name+" "+s.String()] = func(l limits) any { return s.policy(l) }
		}
	}
	policies["undo"] = func(l limits) any { return undoCall(l) }
	policies["cleanup"] = func(l limits) any { return patientCall(l) }
	policies["preflight"] = func(limits) any { return preflight() }
	policies["release"] = func(limits) any { return releaseCall() }
	policies["notify"] = func(limits) any { return notifyCall() }
	policies["verify"] = func(limits) any { return verifyCall() }
	for name, policy := range policies {
		o := reflect.ValueOf(policy(l))
		require.Positive(t, o.FieldByName("ScheduleToCloseTimeout").Int(), "%s has no end", name)
		require.Positive(t, o.FieldByName("HeartbeatTimeout").Int(), "%s has no heartbeat", name)
		require.False(t, o.FieldByName("RetryPolicy").IsNil(), "%s has no retry policy", name)
	}
}

func TestSteps_OutOfOrder_StopsTheWorkflow(t *testing.T) {
	u := &unitRun{next: stepCACerts.at + 1}
	require.PanicsWithValue(t, "step 4 namespaces stands before the step that ran last", func() {
		_, _ = run(nil, u, stepNamespaces, api.EnsureNamespacesInput{})
	})
}
