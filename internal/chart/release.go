package chart

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmkube "helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	// kindRelease is how people call what Helm installed.
	kindRelease = "Helm release"
	// labelChart marks a release with the digest of the chart that it was made from.
	labelChart = "landbridge-chart"
	// labelRun marks a release with the run that installed it.
	labelRun = "landbridge-run"
	// timeout bounds one Helm call. Helm waits for nothing here but for the end of an
	// unfinished release.
	timeout = 2 * time.Minute
	// history limits how many revisions Helm keeps.
	history = 3
)

func init() { helmkube.ManagedFieldsManager = kube.FieldManager }

// Releases manages the Helm releases in one namespace of one cluster, on behalf of the
// owner of a writer.
type Releases struct {
	w         *kube.Writer
	namespace string
	cfg       *action.Configuration
	seen      *answers
}

// Open prepares Helm for a namespace. When the context ends, Helm does nothing any more.
func Open(ctx context.Context, w *kube.Writer, namespace string) (*Releases, error) {
	seen := &answers{}
	g := newGetter(ctx, w.Cluster, namespace, seen)
	cfg := &action.Configuration{}
	quiet := func(string, ...any) {}
	if err := cfg.Init(g, namespace, "secret", quiet); err != nil {
		return nil, fmt.Errorf("prepare Helm: %w", err)
	}
	secrets, err := client.NewForConfig(g.config)
	if err != nil {
		return nil, fmt.Errorf("prepare Helm: %w", err)
	}
	cfg.Releases = storage.Init(driver.NewSecrets(&readOnce{SecretInterface: secrets.Secrets(namespace)}))
	if direct, ok := cfg.KubeClient.(*helmkube.Client); ok {
		cfg.KubeClient = reachable{direct}
	}
	return &Releases{w, namespace, cfg, seen}, nil
}

// Ensure installs the release, upgrades it where chart, version, values or an object
// of it differ, and recovers one that a killed Helm left behind. It returns a
// *ValuesError for values that the chart does not take, a *kube.NotOursError for a
// release that Landbridge did not make and may not adopt, and a *kube.DriftError where
// somebody else changed an object.
func (r *Releases) Ensure(ctx context.Context, name string, c *Chart, values map[string]any) error {
	if err := c.accepts(values); err != nil {
		return err
	}
	last, err := r.last(name)
	if err != nil {
		return err
	}
	if last != nil && last.Labels[fleet.LabelFleet] != r.w.Owner.Fleet {
		if err := r.adoptable(last); err != nil {
			return err
		}
		return r.upgrade(ctx, last, c, values)
	}
	if last != nil && last.Version == 1 && last.Info.Status != release.StatusDeployed {
		// Nothing of it ever worked; begin again, when all of it is gone: Helm would take
		// an object that is still being deleted for the new one.
		if err := r.uninstall(ctx, name, true); err != nil {
			return fmt.Errorf("remove the unfinished release %s: %w", name, err)
		}
		last = nil
	}
	if last == nil {
		return r.install(ctx, name, c, values)
	}
	if err := r.markFailed(ctx, last); err != nil {
		return err
	}
	return r.upgrade(ctx, last, c, values)
}

func (r *Releases) install(ctx context.Context, name string, c *Chart, values map[string]any) error {
	in := action.NewInstall(r.cfg)
	in.ReleaseName, in.Namespace, in.Timeout = name, r.namespace, timeout
	in.Labels, in.Description = r.labels(c), r.w.Owner.Request.Line()
	in.DryRun, in.ClientOnly = r.w.DryRun, r.w.DryRun
	in.DisableOpenAPIValidation = true // see upgrade
	if !r.w.DryRun {
		if err := r.w.BeforeWrite(ctx); err != nil {
			return err
		}
		if err := r.knowCapabilities(); err != nil {
			return err
		}
	}
	rel, err := in.RunWithContext(ctx, c.Chart, values)
	if err != nil {
		return fmt.Errorf("helm install %s: %w", name, r.seen.explain(err))
	}
	return r.note(outcome{action: fleet.Create}, rel, "", rel.Manifest)
}

func (r *Releases) upgrade(ctx context.Context, last *release.Release, c *Chart, values map[string]any) error {
	lost, drifted, err := r.strayed(last)
	if err != nil {
		return err
	}
	why := changed(last, c, values, lost)
	if why == "" && len(drifted) == 0 {
		return r.noteSince(outcome{action: fleet.Keep}, last, last)
	}
	if err := driftOf(drifted); err != nil && !r.w.ForceConflicts && !r.w.DryRun {
		return err
	}
	up := action.NewUpgrade(r.cfg)
	up.Namespace, up.Timeout, up.MaxHistory, up.ResetValues = r.namespace, timeout, history, true
	adopts := last.Labels[fleet.LabelFleet] == ""
	up.Labels = r.labels(c)
	if adopts {
		up.Labels[labelAdopted] = strconv.Itoa(last.Version)
	} else {
		delete(up.Labels, labelRun) // Helm merges: it stays with the run that installed.
	}
	if adopts || originalOf(last) > 0 {
		up.MaxHistory = 0 // it goes back to one of its revisions
	}
	// A merge cannot put back every change of somebody else's (of a port, say).
	up.Force = len(drifted) > 0 && r.w.ForceConflicts
	up.DryRun, up.Description = r.w.DryRun, r.w.Owner.Request.Line()
	// Helm reads the whole OpenAPI of an API server to find out that the server validates fields
	// itself, as each does from Kubernetes 1.27 on, and then leaves it to that.
	up.DisableOpenAPIValidation = true
	if !r.w.DryRun {
		if err := r.w.BeforeWrite(ctx); err != nil {
			return err
		}
	}
	if adopts && !r.w.DryRun {
		if err := r.keepObjects(ctx, last); err != nil {
			return err
		}
	}
	if err := r.knowCapabilities(); err != nil {
		return err
	}
	rel, err := up.RunWithContext(ctx, last.Name, c.Chart, values)
	if r.removedForAnew(ctx, last, err) {
		rel, err = up.RunWithContext(ctx, last.Name, c.Chart, values)
	}
	if err != nil {
		return fmt.Errorf("helm upgrade %s: %w", last.Name, r.seen.explain(err))
	}
	for _, d := range drifted {
		r.w.Note(fleet.Change{Action: fleet.Update, Kind: d.Kind, Namespace: d.Namespace, Name: d.Name, Note: d.Fields, Drift: true, ChangedBy: d.By})
	}
	out := outcome{action: fleet.Update}
	if adopts {
		out.action = fleet.Adopt
	}
	if first := originalOf(last); first > 0 && !r.w.DryRun {
		if err := r.forget(last.Name, first, rel.Version-history); err != nil {
			return err
		}
	}
	if r.w.DryRun {
		out.fields = differing(last, c, values)
		if out.words, err = r.noteAnew(rel.Manifest); err != nil {
			return err
		}
	}
	return r.noteSince(out, last, rel)
}

// changed names the first thing in which a release is not as it should be, or returns
// "".
func changed(last *release.Release, c *Chart, values map[string]any, missing []string) string {
	switch {
	case last.Info.Status != release.StatusDeployed:
		return "its last change did not finish"
	case len(missing) == 1:
		return missing[0] + " is missing"
	case len(missing) > 1:
		return strings.Join(missing, " and ") + " are missing"
	case last.Chart.Metadata.Version != c.Metadata.Version:
		return "version"
	case last.Labels[labelChart] != c.Digest:
		return "chart"
	}
	if at, same := kube.Covers(last.Config, values); !same {
		return at
	}
	if at, same := kube.Covers(values, last.Config); !same {
		return at
	}
	return ""
}

// markFailed marks a change that was cut off as failed, an uninstall too, since Helm
// refuses every other one until somebody does; the next upgrade rolls forward.
func (r *Releases) markFailed(ctx context.Context, last *release.Release) error {
	switch last.Info.Status {
	case release.StatusDeployed, release.StatusFailed:
		return nil
	}
	if r.w.DryRun {
		return nil
	}
	if err := r.w.BeforeWrite(ctx); err != nil {
		return err
	}
	last.SetStatus(release.StatusFailed, "cut off; marked as failed by Landbridge")
	return r.cfg.Releases.Update(last)
}

// last returns the newest revision of a release, or nil where there is none.
func (r *Releases) last(name string) (*release.Release, error) {
	rel, err := r.cfg.Releases.Last(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the Helm release %s: %w", name, err)
	}
	return rel, nil
}

// Values returns the values that a release was given, whoever made it, or nil where there
// is none.
func (r *Releases) Values(name string) (map[string]any, error) {
	rel, err := r.last(name)
	if rel == nil || err != nil {
		return nil, err
	}
	return rel.Config, nil
}

// Labels returns the labels of the owner's objects, as a chart's values take them.
func (r *Releases) Labels() map[string]any {
	out := map[string]any{}
	for k, v := range r.w.Owner.Labels() {
		out[k] = v
	}
	return out
}

// labels returns the labels of a release itself.
func (r *Releases) labels(c *Chart) map[string]string {
	out := r.w.Owner.Labels()
	out[labelChart], out[labelRun] = c.Digest, r.w.Owner.Run
	return out
}
