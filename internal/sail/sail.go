// Package sail reads what the Sail operator says of the Istio that it installs: whether
// it is ready, why not, which versions the operator knows, and whether it runs at all.
// It changes nothing.
//
// An Istio has an IstioRevision, which installs istiod, and a cluster has one IstioCNI.
// After a change the operator copies the revision's conditions into Istio in the same
// pass in which it changes the revision. Until it gets round to the revision, Istio tells
// of the state before, and says that this is its current generation. So an Istio alone
// proves nothing: Look asks the revision and the workloads, too.
package sail

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// healthy is Sail's word for a state without complaints.
const healthy = "Healthy"

// said holds what one of Sail's resources says of itself.
type said struct {
	what string
	// seen tells that the operator has looked at the current generation.
	seen  bool
	state string
	ready bool
	// complaints joins the reasons and messages of the conditions that are not good.
	complaints string
	// refused holds the operator's own sentence that it cannot install this.
	refused string
}

// read reads the status of an Istio, IstioRevision or IstioCNI. A status without
// conditions says nothing.
func read(obj *unstructured.Unstructured) said {
	out := said{what: obj.GetKind() + " " + obj.GetName()}
	observed, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	out.state, _, _ = unstructured.NestedString(obj.Object, "status", "state")
	out.seen = observed == obj.GetGeneration() && len(conditions) > 0
	var all []string
	for _, c := range conditions {
		cond, _ := c.(map[string]any)
		text := func(key string) string { s, _ := cond[key].(string); return s }
		typ, good := text("type"), text("status") == "True"
		if typ == "Ready" {
			out.ready = good
		}
		// Nobody has to use a revision.
		if good || typ == "InUse" || text("message") == "" {
			continue
		}
		all = append(all, strings.TrimPrefix(text("reason")+": "+text("message"), ": "))
		if typ == "Reconciled" && final.MatchString(text("message")) {
			out.refused = text("reason") + ": " + text("message")
		}
	}
	out.complaints = strings.Join(all, "; ")
	return out
}

// final matches the operator's own sentences about what waiting does not repair. Other
// errors may pass: the operator tries again, and an error of Helm's may name a namespace,
// too.
var final = regexp.MustCompile(`end-of-life|namespace "[^"]+" (doesn't exist|is being deleted)$`)

// aboutNamespace matches those of them that are out of date once the namespace is there.
var aboutNamespace = regexp.MustCompile(`namespace "([^"]+)" (?:doesn't exist|is being deleted)$`)

// deadEnd returns a *kube.DeadEndError where the operator refuses a resource for good.
func (s said) deadEnd(ctx context.Context, c *kube.Cluster) error {
	if s.refused == "" {
		return nil
	}
	if m := aboutNamespace.FindStringSubmatch(s.refused); m != nil {
		ns, err := c.Get(ctx, kinds.Namespaces, "", m[1])
		switch {
		case err == nil && ns.GetDeletionTimestamp() == nil:
			return nil
		case err != nil && !apierrors.IsNotFound(err):
			return err
		}
	}
	return &kube.DeadEndError{Reason: fmt.Sprintf("Sail cannot install %s: %s", s.what, s.refused)}
}

// waiting returns what a resource waits for by its own word, or nothing.
func (s said) waiting() string {
	switch {
	case !s.seen:
		return s.what + " has not been looked at by Sail yet"
	case s.ready && s.state == healthy:
		return ""
	}
	out := s.what + " is " + cmp.Or(s.state, "in no known state")
	if s.complaints != "" { // the state is the reason of a condition, mostly
		out += ": " + strings.TrimPrefix(s.complaints, s.state+": ")
	}
	return out
}
