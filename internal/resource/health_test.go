package resource

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// health runs the health check of Fleets as Argo CD does: in the same Lua, without its libraries for
// files and processes, with the resource as the global obj.
func health(t *testing.T, obj map[string]any) (status, message string) {
	t.Helper()
	script, err := os.ReadFile("../../deploy/argocd/health.lua")
	require.NoError(t, err)
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString} {
		require.NoError(t, l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)))
	}
	l.SetGlobal("obj", table(l, obj))
	require.NoError(t, l.DoString(string(script)))
	out, ok := l.Get(-1).(*lua.LTable)
	require.True(t, ok, "it returns a table")
	return out.RawGetString("status").String(), out.RawGetString("message").String()
}

// table turns what JSON has into Lua's values.
func table(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case map[string]any:
		out := l.NewTable()
		for k, below := range v {
			out.RawSetString(k, table(l, below))
		}
		return out
	case []any:
		out := l.NewTable()
		for _, below := range v {
			out.Append(table(l, below))
		}
		return out
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	}
	return lua.LNil
}

// with returns a Fleet with a status, as its API server writes it.
func with(t *testing.T, s Status) map[string]any {
	t.Helper()
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"name": "prod", "generation": 2}, "status": s})
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(data, &out))
	return out
}

func TestHealth_OfArgoCD_OfEachStatus(t *testing.T) {
	c := func(typ string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: typ, Status: status, Reason: reason, Message: typ + " " + reason}
	}
	ready := c(Ready, metav1.ConditionTrue, RolledOut)
	for name, s := range map[string]struct {
		status        Status
		want, message string
	}{
		"nobody looked at it":            {Status{}, "Progressing", "--watch-fleets"},
		"nobody looked at the last spec": {Status{ObservedGeneration: 1, Conditions: []metav1.Condition{ready}}, "Progressing", "generation 2"},
		"rolled out":                     {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{ready, c(Proven, metav1.ConditionTrue, AllProven), c(Drifted, metav1.ConditionUnknown, NotChecked)}}, "Healthy", "Ready RolledOut"},
		"a run is at work":               {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Ready, metav1.ConditionUnknown, RollingOut), c(Progressing, metav1.ConditionTrue, RollingOut)}}, "Progressing", "Progressing RollingOut"},
		"a wave waits":                   {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Progressing, metav1.ConditionTrue, RollingOut), c(WaitingForApproval, metav1.ConditionTrue, WaveWaits)}}, "Suspended", "WaveWaits"},
		"suspended":                      {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Ready, metav1.ConditionUnknown, Suspended)}}, "Suspended", "Ready Suspended"},
		"the rollout failed":             {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Ready, metav1.ConditionFalse, PartlyFailed)}}, "Degraded", "PartlyFailed"},
		"the spec cannot be used":        {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Ready, metav1.ConditionFalse, InvalidSpec), c(Progressing, metav1.ConditionTrue, RollingOut)}}, "Degraded", "InvalidSpec"},
		"not every link is proven":       {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{ready, c(Proven, metav1.ConditionFalse, NotAllProven)}}, "Degraded", "NotAllProven"},
		"the clusters drifted":           {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{ready, c(Drifted, metav1.ConditionTrue, DriftFound)}}, "Degraded", "DriftFound"},
		"Temporal does not answer":       {Status{ObservedGeneration: 2, Conditions: []metav1.Condition{c(Ready, metav1.ConditionUnknown, NoTemporal)}}, "Unknown", "NoTemporal"},
	} {
		status, message := health(t, with(t, s.status))
		require.Equal(t, s.want, status, name)
		require.Contains(t, message, s.message, name)
	}
}
