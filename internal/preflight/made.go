package preflight

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/rights"
)

// administrators looks for what an administrator made of the whole cluster, so that the worker
// need not be allowed to, and notes it in what the cluster needs. For the rest it returns how
// the sentence about a missing right ends, by what that right is on.
func (c *cluster) administrators(ctx context.Context, needs *rights.Needs) (ends map[string]string, err error) {
	ends = map[string]string{}
	note := func(r kinds.Resource, lacks []string) {
		if len(lacks) > 0 {
			ends[object(rights.Right{Resource: r})] = ", or have an administrator make what `landbridge rbac --namespaced` prints (missing: " + firstFew(lacks) + ")"
		}
	}
	var lacks []string
	if needs.Made.Namespaces, lacks, err = c.namespacesMade(ctx, *needs); err != nil {
		return nil, err
	}
	note(kinds.Namespaces, lacks)
	if needs.Made.Readers, lacks, err = c.readersMade(ctx); err != nil {
		return nil, err
	}
	note(kinds.ClusterRoleBindings, lacks)
	return ends, nil
}

// maxLacks limits how many objects a sentence names.
const maxLacks = 5

func firstFew(list []string) string {
	if more := len(list) - maxLacks; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:maxLacks], ", "), more)
	}
	return strings.Join(list, ", ")
}

// namespacesMade returns whether somebody else made every namespace, with the labels that it
// needs, and what lacks. Of what the worker may not read it knows nothing.
func (c *cluster) namespacesMade(ctx context.Context, needs rights.Needs) (made bool, lacks []string, err error) {
	made = true
	for _, name := range rights.Namespaces(needs) {
		ns, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsForbidden(err):
			made = false
			continue
		case apierrors.IsNotFound(err):
			lacks = append(lacks, "namespace "+name)
			continue
		case err != nil:
			return false, nil, fmt.Errorf("read the namespace %s: %w", name, err)
		}
		made = made && ns.Labels[fleet.LabelFleet] == "" && ns.DeletionTimestamp == nil
		for k, v := range rights.LabelsOf(name, needs.Namespace, c.in.Network) {
			if ns.Labels[k] != v {
				lacks = append(lacks, fmt.Sprintf("label %s=%s of namespace %s", k, v, name))
			}
		}
	}
	return made && len(lacks) == 0, lacks, nil
}

// readersMade returns whether somebody else gave the reader of every source its role, and none
// of them got it from Landbridge, which would have to remove that.
func (c *cluster) readersMade(ctx context.Context) (made bool, lacks []string, err error) {
	bindings := c.Client.RbacV1().ClusterRoleBindings()
	ours, err := bindings.List(ctx, metav1.ListOptions{LabelSelector: fleet.LabelFleet + "=" + c.in.Fleet})
	if apierrors.IsForbidden(err) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("list the ClusterRoleBindings of the fleet: %w", err)
	}
	made = len(ours.Items) == 0
	for _, source := range c.in.Sources {
		name := fleet.Reader(source)
		switch _, err := bindings.Get(ctx, name, metav1.GetOptions{}); {
		case apierrors.IsForbidden(err):
			made = false
		case apierrors.IsNotFound(err):
			lacks = append(lacks, "ClusterRoleBinding "+name)
		case err != nil:
			return false, nil, fmt.Errorf("read the ClusterRoleBinding %s: %w", name, err)
		}
	}
	return made && len(lacks) == 0, lacks, nil
}
