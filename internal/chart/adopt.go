package chart

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// labelAdopted marks a release that a person made with the revision that it had then. An
// upgrade makes it the fleet's, and instead of its removal Helm rolls it back to that
// revision, which its history keeps.
const labelAdopted = "landbridge-adopted"

// adoptable returns an error where a release of nobody's fleet cannot be adopted.
func (r *Releases) adoptable(last *release.Release) error {
	if owner := last.Labels[fleet.LabelFleet]; owner != "" || !r.w.Adopt {
		return &kube.NotOursError{Kind: kindRelease, Namespace: r.namespace, Name: last.Name, Owner: owner}
	}
	if last.Info.Status != release.StatusDeployed {
		return &kube.DeadEndError{Reason: fmt.Sprintf("the Helm release %s/%s cannot be adopted: it is %s; finish its last change with helm, or uninstall it, then try again", r.namespace, last.Name, last.Info.Status)}
	}
	return nil
}

// keepObjects writes down what the objects of a release are, with what people did to them
// by hand.
func (r *Releases) keepObjects(ctx context.Context, last *release.Release) error {
	return r.each(last.Manifest, func(o *resource.Info) error {
		live, err := resource.NewHelper(o.Client, o.Mapping).Get(o.Namespace, o.Name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look at %s %s: %w", o.Mapping.GroupVersionKind.Kind, o.Name, err)
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
		if err != nil {
			return err
		}
		return r.w.KeepOriginal(ctx, &unstructured.Unstructured{Object: fields})
	})
}

// originalOf returns the revision that an adopted release had, or 0.
func originalOf(rel *release.Release) int {
	n, _ := strconv.Atoi(rel.Labels[labelAdopted])
	return n
}

// giveBack rolls an adopted release back to what it was, and removes from its history what
// came after that.
func (r *Releases) giveBack(ctx context.Context, last *release.Release) error {
	original, err := r.cfg.Releases.Get(last.Name, originalOf(last))
	if err != nil {
		return fmt.Errorf("read what the Helm release %s was (revision %d): %w", last.Name, originalOf(last), err)
	}
	if !r.w.DryRun {
		if err := r.rollBack(ctx, last, original); err != nil {
			return err
		}
	}
	r.w.Note(fleet.Change{Action: fleet.Update, Kind: kindRelease, Namespace: r.namespace, Name: last.Name, Note: kube.NoteGivenBack})
	return nil
}

func (r *Releases) rollBack(ctx context.Context, last, original *release.Release) error {
	if err := r.markFailed(ctx, last); err != nil {
		return err
	}
	if err := r.w.BeforeWrite(ctx); err != nil {
		return err
	}
	back := action.NewRollback(r.cfg)
	back.Version, back.Timeout = original.Version, timeout
	if err := back.Run(last.Name); err != nil {
		return fmt.Errorf("helm rollback %s %d: %w", last.Name, original.Version, r.seen.explain(err))
	}
	original.SetStatus(release.StatusDeployed, original.Info.Description)
	if err := r.cfg.Releases.Update(original); err != nil {
		return fmt.Errorf("mark revision %d of the Helm release %s as deployed: %w", original.Version, last.Name, err)
	}
	return r.forget(last.Name, original.Version, last.Version+1)
}

// forget removes revisions from a release's history: those after one, up to another.
func (r *Releases) forget(name string, after, upTo int) error {
	all, err := r.cfg.Releases.History(name)
	if err != nil {
		return fmt.Errorf("read the history of the Helm release %s: %w", name, err)
	}
	for _, rel := range all {
		if rel.Version <= after || rel.Version > upTo {
			continue
		}
		_, err := r.cfg.Releases.Delete(name, rel.Version)
		if err != nil && !errors.Is(err, driver.ErrReleaseNotFound) && !apierrors.IsNotFound(err) {
			return fmt.Errorf("remove revision %d of the Helm release %s: %w", rel.Version, name, err)
		}
	}
	return nil
}
