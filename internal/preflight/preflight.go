// Package preflight looks at one cluster before anything is changed: what stands in
// the way of a rollout, and which mesh is there already. It only reads.
//
// A problem is a sentence about the cluster, "it …" or "its …", that ends with what
// to do. All problems are found at once, so that nobody solves one only to meet the
// next.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// role tells how to get a right that lacks.
const role = "`landbridge rbac` prints the role that the worker needs"

// check is one look at a cluster.
type check struct {
	// name tells people what is looked at.
	name string
	// hint tells what to do where the check cannot be made, and refused what to do where
	// the worker lacks a right to make it.
	hint, refused string
	look          func(*cluster, context.Context) error
}

// checks are made in this order.
var checks = []check{
	{"API server", "look at the server and proxy-url of its kubeconfig, and at the network between it and the worker", "", (*cluster).checkVersion},
	{"rights", "the worker must be allowed to ask what it may do, as Kubernetes allows everybody who is logged in", "", (*cluster).checkRights},
	{"identity", "", role, (*cluster).checkIdentity},
	{"kinds", "", role, (*cluster).checkKinds},
	{"mesh", "", "`landbridge rbac --existing-istio` prints the role that the worker needs", (*cluster).checkMesh},
	{"versions", "", role, (*cluster).checkVersions},
	{"CA", "", role, (*cluster).checkCA},
	{"remote secrets", "", role, (*cluster).checkRemoteSecrets},
	{"NetworkPolicies", "", role, (*cluster).checkOtherPods},
	{"egress gateways", "", role, (*cluster).checkEgress},
	{"server name", "give the worker's kubeconfig certificate-authority-data, or let the worker read the ConfigMap", "", (*cluster).checkServerName},
	{"inventory", "", role, (*cluster).checkInventory},
}

// Check looks at all that a rollout needs of a cluster, and returns every problem.
// The claim names the run that wants to change the cluster. An error means that a
// check could not be made.
func Check(ctx context.Context, on *kube.Cluster, in api.CheckClusterInput, claim inventory.Claim) (api.CheckClusterResult, error) {
	c := &cluster{Cluster: on, in: in, claim: claim}
	for _, check := range checks {
		kube.Waiting(ctx, "preflight: "+check.name)
		before := len(c.out.Problems)
		err := check.look(c, ctx)
		if apierrors.IsForbidden(err) && c.rightsMissing {
			continue // a problem names the right already
		}
		if kube.CredentialFails(err) {
			return c.out, err // it says what to do itself
		}
		if err != nil {
			return c.out, check.explained(err)
		}
		c.out.Checks = append(c.out.Checks, api.Checked{Name: check.name, Problems: slices.Clone(c.out.Problems[before:])})
	}
	return c.out, nil
}

// explained adds to the error of a check what to do.
func (k check) explained(err error) error {
	hint := k.hint
	if apierrors.IsForbidden(err) && k.refused != "" {
		hint = k.refused
	}
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, hint)
}

// cluster is looked at on behalf of a run.
type cluster struct {
	*kube.Cluster
	in    api.CheckClusterInput
	claim inventory.Claim
	out   api.CheckClusterResult
	// known lists the versions of Istio that the Sail operator knows.
	known []string
	// runsAs has the name by which the istiod of Landbridge's Istio knows the cluster.
	runsAs string
	// rightsMissing tells that a problem names rights that the worker lacks.
	rightsMissing bool
}

func (c *cluster) problem(format string, args ...any) {
	c.out.Problems = append(c.out.Problems, fmt.Sprintf(format, args...))
}

// existingIstio says whether the fleet file describes an Istio that is there already.
func (c *cluster) existingIstio() bool {
	return c.in.Existing != nil && !c.in.Existing.Istio.Managed()
}

func (c *cluster) checkVersion(ctx context.Context) (err error) {
	c.out.CredentialEnds = c.CredentialEnds()
	c.out.Version, err = c.Version(ctx)
	return err
}

func (c *cluster) checkIdentity(ctx context.Context) error {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read the namespace %s: %w", metav1.NamespaceSystem, err)
	}
	c.out.UID = string(ns.UID)
	return nil
}

// checkInventory finds out whether the cluster belongs to another fleet, or another
// Temporal's run has locked it.
func (c *cluster) checkInventory(ctx context.Context) error {
	inv, err := inventory.Read(ctx, c.Cluster)
	if err == nil {
		err = c.claim.Allowed(inv, c.in.Cluster)
	}
	var refused interface{ Problem() string }
	switch {
	case errors.As(err, &refused):
		c.problem("%s", refused.Problem())
		return nil
	case err == nil && inv != nil:
		c.out.Inventory, c.out.Memory = &inv.Fleet, inv.Memory
		c.checkClusterID()
	}
	return err
}

// checkClusterID refuses another clusterID for a member that runs: its istiod would start
// anew under it, and every proxy there carries the old one until it is started anew, too.
func (c *cluster) checkClusterID() {
	// Istio calls a cluster so that nobody named.
	const unnamed = "Kubernetes"
	if c.runsAs == "" || c.runsAs == unnamed || c.runsAs == c.in.IstioID() {
		return
	}
	set := "set clusterID: " + c.runsAs + " at the cluster"
	if c.runsAs == c.in.Cluster {
		set = "leave clusterID out at the cluster"
	}
	c.problem("its istiod calls it %s (CLUSTER_ID), the fleet file %s, and a member that runs keeps the name that its proxies carry; %s as before, or leave the cluster out of the fleet file, run `landbridge rollout --prune`, and add it again as %s",
		c.runsAs, c.in.IstioID(), set, c.in.IstioID())
}
