package kube

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Namespaces that serve for a comparison are those that nobody made for himself.
// Kubernetes makes the bare ones, and nobody works in them: what is there, a platform
// put there. It makes default, too, where people work, and Landbridge makes the fleet's:
// one of these alone proves less, and many platforms leave the bare ones out.
var bareNamespaces = []string{"kube-public", "kube-node-lease"}

// comparison looks for the like of a namespace's objects in namespaces that nobody
// made for himself: a platform that puts an object into one namespace puts it into
// all. It asks only where an object is in doubt.
type comparison struct {
	cluster          *Cluster
	fleet, namespace string
	// others holds default and the fleet's other namespaces. Nil: not asked yet.
	others []string
	// kind is the one that lists holds the objects of, by namespace.
	kind  kinds.Resource
	lists map[string][]unstructured.Unstructured
}

// finds returns whether the object's like is in a bare namespace, or in two of the
// others, or in default where no other is left. Its like has the same kind and name,
// but for the namespace's own name and a random end, and the same writer, who is no
// tool of a person's.
func (c *comparison) finds(ctx context.Context, r kinds.Resource, o *unstructured.Unstructured) (bool, error) {
	by := writers(o)
	if byHand(by) {
		return false, nil
	}
	if err := c.load(ctx, r); err != nil {
		return false, err
	}
	found := func(in string) bool {
		return slices.ContainsFunc(c.lists[in], func(like unstructured.Unstructured) bool {
			return sameName(&like, o) && sameWriter(by, writers(&like))
		})
	}
	if slices.ContainsFunc(bareNamespaces, found) {
		return true, nil
	}
	if len(by) == 0 { // an API that does not tell the writer: a person may have made both
		return false, nil
	}
	n := 0
	for _, in := range c.others {
		if found(in) {
			n++
		}
	}
	return n >= min(2, len(c.others)) && n > 0, nil
}

// load lists the kind's objects in every namespace that serves. One that the worker
// may not look into proves nothing.
func (c *comparison) load(ctx context.Context, r kinds.Resource) error {
	if c.others == nil {
		if err := c.chooseOthers(ctx); err != nil {
			return err
		}
	}
	if c.lists != nil && c.kind == r {
		return nil
	}
	c.kind, c.lists = r, map[string][]unstructured.Unstructured{}
	for _, in := range slices.Concat(bareNamespaces, c.others) {
		list, err := c.cluster.In(r, in).List(ctx, metav1.ListOptions{})
		if err != nil && passesSoon(err) {
			return fmt.Errorf("list %s in %s: %w", r.Resource, in, err)
		}
		if err == nil {
			c.lists[in] = list.Items
		}
	}
	return nil
}

// chooseOthers takes default and the namespaces that Landbridge made for the fleet,
// not those that it found there, nor those that are being emptied.
func (c *comparison) chooseOthers(ctx context.Context) error {
	c.others = []string{metav1.NamespaceDefault}
	list, err := c.cluster.Client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: fleet.LabelFleet + "=" + c.fleet})
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the fleet's namespaces: %w", err)
	}
	for _, ns := range list.Items {
		_, adopted := ns.Annotations[fleet.AnnotationAdopted]
		if !adopted && ns.DeletionTimestamp == nil && ns.Name != c.namespace {
			c.others = append(c.others, ns.Name)
		}
	}
	return nil
}

// randomEnd matches what Kubernetes, from letters without vowels, makes names unique
// with.
var randomEnd = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5,10}$`)

// sameName returns whether two objects have one name, but for a random end and the name
// of the namespace in it.
func sameName(a, b *unstructured.Unstructured) bool {
	x, y := stem(a), stem(b)
	return x == y || strings.ReplaceAll(x, a.GetNamespace(), "*") == strings.ReplaceAll(y, b.GetNamespace(), "*")
}

// stem returns a name without its random end.
func stem(o *unstructured.Unstructured) string {
	if g := o.GetGenerateName(); g != "" && strings.HasPrefix(o.GetName(), g) {
		return g
	}
	return randomEnd.ReplaceAllString(o.GetName(), "-")
}

func sameWriter(a, b []string) bool {
	return len(a) == 0 && len(b) == 0 || slices.ContainsFunc(a, func(by string) bool { return slices.Contains(b, by) })
}
