package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"filippo.io/age"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// Whoever may start workflows chooses each word of an input, and has neither the worker's
// kubeconfigs nor a cluster's Secrets. So what an input says of another cluster counts for a
// token or a certificate only where that cluster says it too: the worker looks, by its own
// kubeconfig, and the target remembers what was seen.

// checkRecipient refuses to seal a token of this cluster to a key that is not its source's own.
func (a *Activities) checkRecipient(ctx context.Context, c *kube.Cluster, in api.EnsureReaderTokenInput) error {
	inv, err := inventory.Read(ctx, c)
	if inv == nil || err != nil || in.DryRun { // without an inventory nothing is written, and a plan seals nothing
		return err
	}
	from := in.Link.From
	source, ok := inv.Fleet.Cluster(from)
	if !ok || !slices.Contains(inv.Fleet.Links(), in.Link) {
		return untrusted("the inventory of cluster %s knows no link %s: no token is made for it", c.Name, in.Link)
	}
	pin, pinned := inv.Pins[from]
	if pin.Recipient == in.Recipient {
		return nil
	}
	if slices.Contains(a.Unseen, from) {
		if pinned {
			return untrusted("cluster %s has given its tokens for %s to the key %s so far, and this one is for %s. If %s was rebuilt or got another key, remove what %s remembers of it, and roll out again: %s",
				c.Name, from, pin.Recipient, in.Recipient, from, c.Name, inventory.Unpin(from))
		}
		return a.claim(ctx, in.ClusterRef).Pin(ctx, c, from, inventory.Pin{Recipient: in.Recipient})
	}
	seen, err := a.sourceAsSeen(ctx, api.ClusterRef{Fleet: in.Fleet, Cluster: from, Kubeconfig: source.Kubeconfig, Run: in.Run, TakeOver: in.TakeOver})
	if err != nil {
		return err
	}
	if seen.Recipient != in.Recipient {
		return untrusted("a token of cluster %s was asked for under the key %s, and cluster %s has the key %s: the token is for %s alone. Roll out again; where that does not help, see who started this run",
			c.Name, in.Recipient, from, seen.Recipient, from)
	}
	return a.claim(ctx, in.ClusterRef).Pin(ctx, c, from, seen)
}

// sourceAsSeen looks at a source by the worker's own kubeconfig.
func (a *Activities) sourceAsSeen(ctx context.Context, ref api.ClusterRef) (inventory.Pin, error) {
	c, uid, err := a.memberAsSeen(ctx, ref)
	if err != nil {
		return inventory.Pin{}, err
	}
	key, err := readSecretKey(ctx, c, fleet.SystemNamespace, sealingSecret, sealingKey)
	if err != nil {
		return inventory.Pin{}, err
	}
	id, err := age.ParseX25519Identity(string(key))
	if err != nil {
		return inventory.Pin{}, untrusted("cluster %s has no sealing key (Secret %s/%s), to which a token could be sealed; roll out again", c.Name, fleet.SystemNamespace, sealingSecret)
	}
	return inventory.Pin{UID: uid, Recipient: id.Recipient().String()}, nil
}

// checkRequest refuses to sign a CSR that the cluster which it is for did not make: the key
// of it must wait there.
func (a *Activities) checkRequest(ctx context.Context, in api.SignIntermediateInput) error {
	name := in.Spec.Cluster
	if slices.Contains(a.Unseen, name) {
		return nil
	}
	if in.Member.Cluster != name || in.Member.Fleet != in.Fleet {
		return untrusted("a CSR of the fleet %s for cluster %s is said to come from %q of the fleet %q: nothing is signed", in.Fleet, name, in.Member.Cluster, in.Member.Fleet)
	}
	c, _, err := a.memberAsSeen(ctx, in.Member)
	if err != nil {
		return err
	}
	key, err := readSecretKey(ctx, c, fleet.SystemNamespace, pendingSecret, pendingKey)
	if err != nil {
		return err
	}
	if key == nil {
		return untrusted("a CSR was to be signed for cluster %s, in which no key waits for a certificate: nothing is signed. Roll out again; where that does not help, see who started this run", name)
	}
	if err := certs.RequestIsOf([]byte(in.CSR), key); err != nil {
		return untrusted("a CSR was to be signed for cluster %s, which did not make it (%v): nothing is signed. Roll out again; where that does not help, see who started this run", name, err)
	}
	return nil
}

// memberAsSeen opens a cluster by the worker's own kubeconfig, and sees that it is this member of
// the fleet. It returns the cluster's UID.
func (a *Activities) memberAsSeen(ctx context.Context, ref api.ClusterRef) (*kube.Cluster, string, error) {
	c, err := a.open(ctx, ref)
	var none *kube.KubeconfigError
	if errors.As(err, &none) {
		return nil, "", untrusted("this worker must see for itself what key cluster %s has, and cannot: %v. Give it that kubeconfig, or start it with --unseen %s", ref.Cluster, err, ref.Cluster)
	}
	if err != nil {
		return nil, "", err
	}
	inv, err := inventory.Read(ctx, c)
	if err != nil {
		return nil, "", err
	}
	claim := a.claim(ctx, ref)
	claim.MustExist = true
	if err := claim.Allowed(inv, ref.Cluster); err != nil {
		return nil, "", err
	}
	uid, err := uidOf(ctx, c)
	if err != nil {
		return nil, "", err
	}
	return c, uid, sameUID(ref.Cluster, inv.Memory.Member.UID, uid)
}

// uidOf returns what tells a cluster from every other: the UID of its namespace kube-system.
func uidOf(ctx context.Context, c *kube.Cluster) (string, error) {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", wrap(err, "read the namespace %s", metav1.NamespaceSystem)
	}
	return string(ns.UID), nil
}

// sameUID refuses a cluster that is another one than it is said to be.
func sameUID(name, said, is string) error {
	if said == "" || said == is {
		return nil
	}
	return untrusted("cluster %s was to be the one with the UID %s (of namespace kube-system), and is the one with %s: its kubeconfig leads to another cluster than before; roll out again, so that the preflight sees it", name, said, is)
}

func untrusted(why string, args ...any) error {
	return &inventory.UntrustedError{Reason: fmt.Sprintf(why, args...)}
}
