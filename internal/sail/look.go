package sail

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// Installation names what the operator is asked for in one cluster.
type Installation struct {
	// Name of the Istio.
	Name string
	// Namespace has istiod, CNINamespace the CNI plugin.
	Namespace, CNINamespace string
}

// Watched lists whatever Look looks at.
func (in Installation) Watched() []kube.Watched {
	return []kube.Watched{
		{Resource: kinds.IstioCNIs, Name: fleet.IstioCNIName},
		{Resource: kinds.DaemonSets, Namespace: in.CNINamespace, Name: cniDaemonSet},
		{Resource: kinds.Istios, Name: in.Name},
		{Resource: kinds.IstioRevisions},
		{Resource: kinds.Deployments, Namespace: in.Namespace, Labels: fleet.IstiodPods},
	}
}

// Report tells how far an installation is.
type Report struct {
	// Waiting tells what it waits for. Empty: it is ready.
	Waiting string
	// State is Istio's, in Sail's words.
	State string
	// Unseen tells that the operator has yet to look at something.
	Unseen bool
	// Slow has the workload that has not rolled out yet.
	Slow *unstructured.Unstructured
}

// Look finds out whether Sail has installed an Istio and the CNI plugin in their current
// generation, and they run. The error is a *kube.DeadEndError, with Sail's own message,
// where waiting cannot help.
func Look(ctx context.Context, c *kube.Cluster, in Installation) (Report, error) {
	for _, look := range []func(context.Context, *kube.Cluster, Installation) (Report, error){lookCNI, lookIstio} {
		r, err := look(ctx, c, in)
		if err != nil || r.Waiting != "" {
			return r, err
		}
	}
	return Report{State: healthy}, nil
}

// lookCNI looks at IstioCNI and its DaemonSet. Sail counts the pods that are ready, old
// ones included: whether they run the current template is asked here.
func lookCNI(ctx context.Context, c *kube.Cluster, in Installation) (Report, error) {
	obj, err := c.Get(ctx, kinds.IstioCNIs, "", fleet.IstioCNIName)
	if err != nil {
		return Report{}, err
	}
	s := read(obj)
	r := Report{Waiting: s.waiting(), State: s.state, Unseen: !s.seen}
	if r.Unseen {
		return r, nil
	}
	if err := s.deadEnd(ctx, c); err != nil {
		return r, err
	}
	ds, err := c.Get(ctx, kinds.DaemonSets, in.CNINamespace, cniDaemonSet)
	if apierrors.IsNotFound(err) {
		r.Waiting = cmp.Or(r.Waiting, "DaemonSet "+in.CNINamespace+"/"+cniDaemonSet+" does not exist yet")
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return rolledOut(r, ds)
}

// lookIstio looks at Istio, its active revision, and the istiod of that revision.
func lookIstio(ctx context.Context, c *kube.Cluster, in Installation) (Report, error) {
	obj, err := c.Get(ctx, kinds.Istios, "", in.Name)
	if err != nil {
		return Report{}, err
	}
	istio := read(obj)
	if !istio.seen {
		return Report{Waiting: istio.waiting(), State: istio.state, Unseen: true}, nil
	}
	// What the operator says of Istio itself is of this generation; what it copies from
	// the revision need not be.
	if !strings.Contains(istio.refused, "error reconciling resource: ") {
		if err := istio.deadEnd(ctx, c); err != nil {
			return Report{}, err
		}
	}
	name, _, _ := unstructured.NestedString(obj.Object, "status", "activeRevisionName")
	if name == "" {
		return Report{Waiting: istio.waiting(), State: istio.state}, nil
	}
	r, err := lookRevision(ctx, c, in, name)
	if err != nil || r.Waiting != "" {
		return r, err
	}
	return Report{Waiting: istio.waiting(), State: istio.state}, nil
}

func lookRevision(ctx context.Context, c *kube.Cluster, in Installation, name string) (Report, error) {
	obj, err := c.Get(ctx, kinds.IstioRevisions, "", name)
	if apierrors.IsNotFound(err) {
		return Report{Waiting: "IstioRevision " + name + " does not exist yet", Unseen: true}, nil
	}
	if err != nil {
		return Report{}, err
	}
	if obj.GetDeletionTimestamp() != nil {
		return Report{Waiting: "IstioRevision " + name + " is being deleted", Unseen: true}, nil
	}
	rev := read(obj)
	if !rev.seen {
		return Report{Waiting: rev.waiting(), State: rev.state, Unseen: true}, nil
	}
	if err := rev.deadEnd(ctx, c); err != nil {
		return Report{}, err
	}
	return lookIstiod(ctx, c, in.Namespace, name, Report{Waiting: rev.waiting(), State: rev.state})
}

// lookIstiod adds what the Deployments of a revision's istiod wait for.
func lookIstiod(ctx context.Context, c *kube.Cluster, namespace, revision string, r Report) (Report, error) {
	list, err := c.List(ctx, kinds.Deployments, namespace, fleet.IstiodPods+",istio.io/rev="+revision)
	if err != nil {
		return r, fmt.Errorf("look for istiod: %w", err)
	}
	if len(list) == 0 {
		r.Waiting = joined(r.Waiting, fmt.Sprintf("there is no Deployment of istiod of revision %s in %s", revision, namespace))
	}
	for i := range list {
		list[i].SetGroupVersionKind(kinds.Deployments.GroupVersion().WithKind(kinds.Deployments.Kind))
		if r, err = rolledOut(r, &list[i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// rolledOut adds what a workload waits for.
func rolledOut(r Report, workload *unstructured.Unstructured) (Report, error) {
	waiting, err := kube.Rollout(workload)
	if waiting != "" {
		r.Waiting, r.Slow = joined(r.Waiting, waiting), workload
	}
	return r, err
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
