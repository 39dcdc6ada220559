// Package workflowtest takes the place of every activity, for tests of the workflows: in Temporal's
// test environment, or on a real Temporal with hundreds of clusters that are not there.
package workflowtest

import (
	"context"
	"reflect"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Call names an activity, the cluster that it was to work on, and its input.
type Call struct {
	Name string
	Ref  api.ClusterRef
	In   any
}

// Activities answers in the place of every activity. It finds them by reflection, so that each loop of a
// test includes an activity as soon as it exists.
type Activities struct {
	// Called hears of each call, where it is set.
	Called func(Call)
	// Fails returns the error of an activity. Without one it succeeds.
	Fails func(Call) error
	// Action names what every EnsureX reports to have done. Default: create.
	Action func() fleet.Action
	// Answer changes a result, which is a pointer, where it is set.
	Answer func(Call, any)
}

// Registry takes activities: a worker, or a test environment.
type Registry interface {
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

// Register registers a stub for every activity, under its name.
func (a *Activities) Register(r Registry) {
	for m := range reflect.TypeFor[*activities.Activities]().Methods() {
		r.RegisterActivityWithOptions(a.stub(m).Interface(), activity.RegisterOptions{Name: m.Name})
	}
}

// stub returns a function with the signature of the activity.
func (a *Activities) stub(m reflect.Method) reflect.Value {
	in, out := m.Type.In(2), m.Type.Out(0)
	sig := reflect.FuncOf([]reflect.Type{reflect.TypeFor[context.Context](), in}, []reflect.Type{out, reflect.TypeFor[error]()}, false)
	return reflect.MakeFunc(sig, func(args []reflect.Value) []reflect.Value {
		c := Call{m.Name, args[1].Interface().(interface{ Ref() api.ClusterRef }).Ref(), args[1].Interface()}
		if a.Called != nil {
			a.Called(c)
		}
		result := reflect.New(out)
		a.fill(c, result)
		err := reflect.Zero(reflect.TypeFor[error]())
		if a.Fails != nil {
			if e := a.Fails(c); e != nil {
				err = reflect.ValueOf(&e).Elem()
			}
		}
		return []reflect.Value{result.Elem(), err}
	})
}

// fill fills in what every cluster would answer.
func (a *Activities) fill(c Call, result reflect.Value) {
	if strings.HasPrefix(c.Name, "Ensure") {
		did := []fleet.Change{{Action: fleet.Create, Kind: "Kind", Name: c.Name}}
		if a.Action != nil {
			did[0].Action = a.Action()
		}
		if changes := result.Elem().FieldByName("Changes"); changes.Type() == reflect.TypeFor[fleet.Changes]() {
			changes.Set(reflect.ValueOf(fleet.Changes{Changes: did}))
		} else {
			changes.Set(reflect.ValueOf(did))
		}
	}
	switch r := result.Interface().(type) {
	case *api.CheckClusterResult:
		*r = api.CheckClusterResult{UID: c.Ref.Cluster, Version: "v1.36.3", TLSServerName: "api." + c.Ref.Cluster}
	case *api.CheckFleetResult:
		in := c.In.(api.CheckFleetInput)
		if err := in.Fleet.Validate(); err != nil {
			r.Wrong = err.Error()
		}
		return
	case *api.CheckEgressResult:
		for i := range c.In.(api.CheckEgressInput).Targets {
			r.Ports = append(r.Ports, fleet.FirstSharedPort+i)
		}
	case *api.CheckLinkResult:
		r.Proven = true
	case *api.WaitLoadBalancerResult:
		r.Address = fleet.Address{IPs: []string{"203.0.113.1"}}
	case *api.EnsureRootResult:
		r.CertPEM, r.Facts = "root", api.CertificateFacts{Fingerprint: "sha256:0"}
	case *api.EnsureSealingKeyResult:
		r.Recipient = "age1" + c.Ref.Cluster
	}
	if a.Answer != nil {
		a.Answer(c, result.Interface())
	}
}
