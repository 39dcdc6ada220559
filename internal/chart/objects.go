package chart

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// outcome tells what became of a release: by what it differed, and a word on some of its
// objects.
type outcome struct {
	action fleet.Action
	fields []fleet.Field
	words  map[key]string
}

// note tells the writer what became of the release and of each of its objects, by the
// manifests before and after.
func (r *Releases) note(o outcome, rel *release.Release, before, after string) error {
	r.w.Note(fleet.Change{Action: o.action, Kind: kindRelease, Namespace: r.namespace, Name: rel.Name, Fields: o.fields})
	was, err := split(before)
	if err != nil {
		return err
	}
	is, err := split(after)
	if err != nil {
		return err
	}
	keys := map[key]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range is {
		keys[k] = true
	}
	var out []fleet.Change
	for k := range keys {
		c := fleet.Change{Action: compare(was, is, k), Kind: k.kind, Namespace: r.namespace, Name: k.name, Note: o.words[k]}
		if r.w.DryRun {
			if c.Fields, err = fieldsOf(k.kind, was[k], is[k]); err != nil {
				return err
			}
		}
		if r.w.Render && c.Action != fleet.Remove {
			c.Manifest = is[k]
		}
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Kind+out[i].Name < out[j].Kind+out[j].Name })
	r.w.Note(out...)
	return nil
}

// noteSince notes an action on a release that was there before. What this run installed,
// in a try whose end nobody heard of, is noted as installed.
func (r *Releases) noteSince(o outcome, last, now *release.Release) error {
	if last.Labels[labelRun] == r.w.Owner.Run && originalOf(last) > 0 {
		o.action = fleet.Adopt
	} else if last.Labels[labelRun] == r.w.Owner.Run {
		return r.note(outcome{action: fleet.Create, words: o.words}, now, "", now.Manifest)
	}
	return r.note(o, now, last.Manifest, now.Manifest)
}

// differing lists, for a plan, the version and values by which a release is to change.
func differing(last *release.Release, c *Chart, values map[string]any) (out []fleet.Field) {
	if was, is := last.Chart.Metadata.Version, c.Metadata.Version; was != is {
		out = append(out, fleet.Field{Path: "version", From: was, To: is})
	}
	for _, f := range kube.FieldsOf(last.Config, values) {
		f.Path = "values." + f.Path
		out = append(out, f)
	}
	return out
}

// kindService is the object of a release that a cloud, a firewall and a bill depend on.
const kindService = "Service"

// fieldsOf lists, for a plan, the fields in which an object of a release is to change. Of one to
// create it lists those of a Service: the others are as the chart has them, and long.
func fieldsOf(kind, was, is string) ([]fleet.Field, error) {
	if is == was || is == "" || was == "" && kind != kindService {
		return nil, nil
	}
	var from, to map[string]any
	if err := errors.Join(yaml.Unmarshal([]byte(was), &from), yaml.Unmarshal([]byte(is), &to)); err != nil {
		return nil, fmt.Errorf("read the release's manifest: %w", err)
	}
	return kube.FieldsOf(from, to), nil
}

type key struct{ kind, name string }

func compare(was, is map[key]string, k key) fleet.Action {
	old, had := was[k]
	now, has := is[k]
	switch {
	case !had:
		return fleet.Create
	case !has:
		return fleet.Remove
	case old != now:
		return fleet.Update
	}
	return fleet.Keep
}

// split takes a manifest apart into its objects.
func split(manifest string) (map[key]string, error) {
	out := map[key]string{}
	for _, doc := range releaseutil.SplitManifests(manifest) {
		var head struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			return nil, fmt.Errorf("read the release's manifest: %w", err)
		}
		if head.Kind != "" {
			out[key{head.Kind, head.Metadata.Name}] = doc
		}
	}
	return out, nil
}

// strayed compares the release with the live objects. It names those that are no longer
// there, and returns those that somebody else changed. It compares what the chart sets; the
// number of replicas it leaves to the autoscaler.
func (r *Releases) strayed(rel *release.Release) (lost []string, drifted []*kube.DriftError, err error) {
	objs, err := r.cfg.KubeClient.Build(strings.NewReader(rel.Manifest), false)
	if err != nil {
		return nil, nil, fmt.Errorf("read the release %s: %w", rel.Name, err)
	}
	for _, o := range objs {
		kind := o.Mapping.GroupVersionKind.Kind
		live, err := resource.NewHelper(o.Client, o.Mapping).Get(o.Namespace, o.Name)
		if apierrors.IsNotFound(err) {
			lost = append(lost, kind+" "+o.Name)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("look at %s %s: %w", kind, o.Name, err)
		}
		fields, by, err := changedFields(live, o.Object)
		if err != nil {
			return nil, nil, fmt.Errorf("look at %s %s: %w", kind, o.Name, err)
		}
		if len(fields) > 0 && rel.Info.Status == release.StatusDeployed {
			drifted = append(drifted, &kube.DriftError{Kind: kind, Namespace: o.Namespace, Name: o.Name, Fields: strings.Join(fields, ", "), By: by})
		}
	}
	return lost, drifted, nil
}

// changedFields names the fields in which somebody else changed what Helm wrote, and with what
// that was done.
func changedFields(live, wrote runtime.Object) ([]string, fleet.ChangedBy, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return nil, fleet.ChangedBy{}, err
	}
	want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wrote)
	if err != nil {
		return nil, fleet.ChangedBy{}, err
	}
	is := &unstructured.Unstructured{Object: fields}
	strayed := kube.Strayed(is, want)
	return strayed, kube.ChangedBy(is, strayed), nil
}

// driftOf returns one error for the objects of a release that somebody else changed, or nil.
func driftOf(drifted []*kube.DriftError) error {
	if len(drifted) == 0 {
		return nil
	}
	all := *drifted[0]
	for _, d := range drifted[1:] {
		all.Others += fmt.Sprintf(", as was %s %s/%s (%s),", d.Kind, d.Namespace, d.Name, d.Fields)
	}
	return &all
}
