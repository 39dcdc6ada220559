package workflows

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/landbridge/landbridge/internal/api"
)

// A newer command asks an older worker, for the whole fleet or by a child workflow: the
// worker would drop in silence what it does not know.
func TestGuard_ANewerContract_IsRefusedBeforeAnythingIsDone(t *testing.T) {
	all := &registry{}
	Register(all)
	for _, workflow := range all.workflows {
		in := reflect.New(reflect.TypeOf(workflow).In(1)).Elem()
		newer(in)
		f := newFake(t)
		f.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Guard{}}})
		err := f.run(workflow, in.Interface())
		require.Equal(t, api.TypePreflight, errorType(t, err), in.Type())
		require.ErrorContains(t, err, fmt.Sprintf("knows contract %d of Landbridge, and was asked by a newer one with contract %d: upgrade every worker of the fleet, then the command; nothing was changed", api.Contract, api.Contract+1))
		require.Empty(t, f.calls)
	}
	require.Greater(t, len(all.workflows), 10)
	for _, known := range []int{0, api.Contract} {
		f := newFake(t)
		f.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Guard{}}})
		require.NoError(t, f.run(PlanFleet, api.FleetInput{Contract: known, Fleet: testFleet("east", "west")}))
		for _, c := range f.calls {
			require.Equal(t, api.Contract, c.ref.Contract, c)
		}
	}
}

// newer sets every contract in a struct to one that this program does not know.
func newer(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case v.Type().Field(i).Name == "Contract":
			f.SetInt(api.Contract + 1)
		case f.Kind() == reflect.Struct && f.CanSet():
			newer(f)
		}
	}
}
