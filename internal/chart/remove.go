package chart

import (
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Remove uninstalls the owner's releases: those of its link where it has one,
// and only those that onlyRun installed where that is given.
func (r *Releases) Remove(ctx context.Context, onlyRun string) error {
	names, err := r.owned(onlyRun)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := r.uninstall(ctx, name, false); err != nil {
			return err
		}
	}
	return r.w.PutBack(ctx, onlyRun)
}

// RemoveNamed uninstalls one of the owner's releases, where it is there, and where onlyRun
// installed it if that is given.
func (r *Releases) RemoveNamed(ctx context.Context, name, onlyRun string) error {
	last, err := r.last(name)
	if err != nil || last == nil || last.Labels[fleet.LabelFleet] != r.w.Owner.Fleet || onlyRun != "" && last.Labels[labelRun] != onlyRun {
		return err
	}
	return r.uninstall(ctx, name, false)
}

// uninstall removes a release; with wait it returns when its objects are gone. An adopted
// one is given back instead.
func (r *Releases) uninstall(ctx context.Context, name string, wait bool) error {
	last, err := r.last(name)
	if err != nil || last == nil {
		return err
	}
	if originalOf(last) > 0 {
		return r.giveBack(ctx, last)
	}
	if !r.w.DryRun {
		if err := r.w.BeforeWrite(ctx); err != nil {
			return err
		}
		un := action.NewUninstall(r.cfg)
		un.Timeout, un.IgnoreNotFound, un.Wait = timeout, true, wait
		if _, err := un.Run(name); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
			return fmt.Errorf("helm uninstall %s: %w", name, r.seen.explain(err))
		}
	}
	return r.note(outcome{action: fleet.Remove}, last, last.Manifest, "")
}

// owned lists the names of the owner's releases, in whatever state they are.
func (r *Releases) owned(onlyRun string) ([]string, error) {
	list := action.NewList(r.cfg)
	list.StateMask, list.Selector = action.ListAll, r.w.Selector()
	rels, err := list.Run()
	if err != nil {
		return nil, fmt.Errorf("list the Helm releases: %w", err)
	}
	var names []string
	for _, rel := range rels {
		if onlyRun == "" || rel.Labels[labelRun] == onlyRun {
			names = append(names, rel.Name)
		}
	}
	return names, nil
}
