package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// FieldManager names Landbridge in managedFields.
const FieldManager = "landbridge"

// Owner tells on whose behalf something is written.
type Owner struct {
	// Fleet that everything belongs to.
	Fleet string
	// Component names the step that an object belongs to.
	Component string
	// Link names the link by its ID. Empty: the object belongs to the cluster.
	Link string
	// Run names the run that works now.
	Run string
	// Request tells why it runs, for the people who look at an object later.
	Request fleet.Request
}

// Labels returns the labels by which the owner's objects are known. What Helm did not
// make has app.kubernetes.io/managed-by beside them.
func (o Owner) Labels() map[string]string {
	out := map[string]string{fleet.LabelFleet: o.Fleet}
	if o.Component != "" {
		out[fleet.LabelComponent] = o.Component
	}
	if o.Link != "" {
		out[fleet.LabelLink] = o.Link
	}
	return out
}

// Made says whether this run made what has the annotations. A try that a crash cut off
// made it unknown to the workflow, whose undo must not be dropped.
func (o Owner) Made(annotations map[string]string) bool {
	return o.Run != "" && annotations[fleet.AnnotationRun] == o.Run
}

// Since returns the action as the run began it: what this run made is created, however
// many tries it takes until the workflow hears of it.
func (o Owner) Since(action fleet.Action, annotations map[string]string) fleet.Action {
	if o.Made(annotations) {
		return fleet.Create
	}
	return action
}

// Writer changes one cluster on behalf of one step of one run, and remembers
// what it did. It is not for use by several goroutines.
type Writer struct {
	*Cluster
	Owner Owner
	// DryRun only notes what would be done.
	DryRun bool
	// ForceConflicts overwrites what somebody else changed; without it Apply returns a
	// *DriftError.
	ForceConflicts bool
	// Adopt makes what a person made under the same name the fleet's; its removal gives it
	// back as it was.
	Adopt bool
	// Foreground deletes what an object owns before the object itself.
	Foreground bool
	// Render notes each object as it would be applied too, for who applies it by
	// other means.
	Render bool
	// Lock runs once, before the first write, and locks the cluster's inventory: who
	// may not, writes nothing. Nil locks nothing.
	Lock func(context.Context) error

	locked  bool
	changes fleet.Changes
	// gone lists what the writer deleted and the API server said is no longer there.
	gone []types.UID
	// together has what was read to look into several namespaces. Nil: each by itself.
	together *wholeCluster
}

// Changes returns what was done so far.
func (w *Writer) Changes() fleet.Changes { return w.changes }

// Note adds changes that something else than the writer made, such as Helm, with their cluster
// where a plan is asked for objects.
func (w *Writer) Note(changes ...fleet.Change) {
	for _, c := range changes {
		if w.Render {
			c.Cluster = w.Name
		}
		w.changes.Changes = append(w.changes.Changes, c)
	}
}

// NoteApplied adds a change, with the object that it applies where a plan is asked for
// objects. It leaves out what a Secret holds.
func (w *Writer) NoteApplied(c fleet.Change, object any) error {
	if w.Render && c.Kind != kinds.Secrets.Kind {
		manifest, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		c.Manifest = string(manifest)
	}
	w.Note(c)
	return nil
}

// NotOursError reports an object that is there already and that Landbridge did not make.
type NotOursError struct{ Kind, Namespace, Name, Owner string }

func (e *NotOursError) Error() string {
	who := "was not made by Landbridge"
	if e.Owner != "" {
		who = "belongs to the fleet " + e.Owner
	}
	return fmt.Sprintf("%s %s exists already and %s; rename or remove it, then try again", e.Kind, path(e.Namespace, e.Name), who)
}

// DriftError reports an object that somebody else changed since it was applied, with the
// fields, and with what and when as far as that is known. Others says the same of further
// objects, for the message.
type DriftError struct {
	Kind, Namespace, Name, Fields, Others string
	By                                    fleet.ChangedBy
}

func (e *DriftError) Error() string {
	by := ""
	if e.By.With != "" {
		by = " " + e.By.String()
	}
	return fmt.Sprintf("%s %s was changed by somebody else"+by+" (%s)%s and is left as it is; `landbridge drift` shows it, `landbridge rollout --force-conflicts` puts it back", e.Kind, path(e.Namespace, e.Name), e.Fields, e.Others)
}

func path(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// BeforeWrite makes sure that this run may write, which it asks for once. Apply and Remove call it; so
// must whoever writes by other means.
func (w *Writer) BeforeWrite(ctx context.Context) error {
	if w.locked || w.Lock == nil {
		return nil
	}
	if err := w.Lock(ctx); err != nil {
		return err
	}
	w.locked = true
	return nil
}

// In returns the client for a resource in a namespace, or cluster-wide.
func (c *Cluster) In(res kinds.Resource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return c.Dynamic.Resource(res.GroupVersionResource)
	}
	return c.Dynamic.Resource(res.GroupVersionResource).Namespace(namespace)
}
