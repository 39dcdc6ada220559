package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

//go:embed crds/platform.yaml
var platformCRDs string

// The habits that a platform of the lab can have.
const (
	// PlatformCopies puts an operator's ClusterServiceVersion into every namespace, with
	// OLM's mark, and makes it again where it was removed.
	PlatformCopies = "copies"
	// PlatformPolicies puts a NetworkPolicy and a ConfigMap without any mark into every
	// namespace but Kubernetes' own, as policy engines do.
	PlatformPolicies = "policies"
	// PlatformInventions gives every namespace an object of a kind, as aggregated APIs do.
	PlatformInventions = "inventions"
	// PlatformFlicker makes and removes a kind every other second, with an object in every
	// namespace.
	PlatformFlicker = "flicker"
	// PlatformStaleAPI registers an API that nobody answers for.
	PlatformStaleAPI = "stale-api"
	// PlatformQuota gives every namespace but Kubernetes' own a ResourceQuota that allows no
	// LoadBalancer Service, as templates of namespaces do. Kubernetes keeps its status.
	PlatformQuota = "quota"
	// PlatformUnenforced has a network that enforces no NetworkPolicies, as flannel's does.
	// They can be written all the same, and nothing says so.
	PlatformUnenforced = "unenforced"
)

var platformHabits = []string{PlatformCopies, PlatformPolicies, PlatformInventions, PlatformFlicker, PlatformStaleAPI, PlatformQuota, PlatformUnenforced}

var (
	crdsResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	apiServices  = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// staleAPI names the APIService of PlatformStaleAPI.
const staleAPI = "v1beta1.custom.metrics.k8s.io"

// placed tells what a habit puts into namespaces, and who is said to write it.
type placed struct {
	habit, writer string
	res           schema.GroupVersionResource
	object        string
	// crd names the definition of the kind. Empty: every cluster has it.
	crd string
	// bare says that Kubernetes' own namespaces get it, too.
	bare bool
}

var placings = []placed{
	{PlatformCopies, "olm", schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "clusterserviceversions"},
		`{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: everywhere.v1.2.3, labels: {olm.copiedFrom: openshift-operators}}}`, "clusterserviceversions.operators.coreos.com", true},
	{PlatformPolicies, "policy-engine", schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
		`{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: default-deny}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}}`, "", false},
	{PlatformPolicies, "policy-engine", schema.GroupVersionResource{Version: "v1", Resource: "configmaps"},
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: corporate-ca}, data: {ca: x}}`, "", false},
	{PlatformQuota, "namespace-template", schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"},
		`{apiVersion: v1, kind: ResourceQuota, metadata: {name: no-load-balancers}, spec: {hard: {services.loadbalancers: "0"}}}`, "", false},
	{PlatformInventions, "inventor", schema.GroupVersionResource{Group: "lab.example", Version: "v1", Resource: "inventions"},
		`{apiVersion: lab.example/v1, kind: Invention, metadata: {name: of-everywhere}}`, "inventions.lab.example", true},
	{PlatformFlicker, "flicker", schema.GroupVersionResource{Group: "lab.example", Version: "v1", Resource: "flickers"},
		`{apiVersion: lab.example/v1, kind: Flicker, metadata: {name: of-everywhere}}`, "flickers.lab.example", true},
}

// platform has the habits that the lab's behaviour says, on one cluster.
type platform struct {
	dyn dynamic.Interface
	// had tells which habits may have left something. All may have, at first.
	had map[string]bool
}

func newPlatform(cfg *rest.Config) (*platform, error) {
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	had := map[string]bool{}
	for _, h := range platformHabits {
		had[h] = true
	}
	return &platform{dyn, had}, nil
}

func (p *platform) look(ctx context.Context, b Behaviour) error {
	var errs []error
	for _, h := range platformHabits {
		on := slices.Contains(b.Platform, h)
		if h == PlatformFlicker && on {
			on = time.Now().Unix()%4 < 2
		}
		if !on && !p.had[h] {
			continue
		}
		err := p.habit(ctx, h, on)
		p.had[h] = on || err != nil
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// habit makes what a habit puts into the cluster, or removes it.
func (p *platform) habit(ctx context.Context, habit string, on bool) error {
	if habit == PlatformStaleAPI {
		return p.stale(ctx, on)
	}
	for _, what := range placings {
		if what.habit != habit {
			continue
		}
		place := p.remove
		if on {
			place = p.place
		}
		if err := place(ctx, what); err != nil {
			return fmt.Errorf("%s: %w", habit, err)
		}
	}
	return nil
}

// place makes an object in every namespace that lacks it.
func (p *platform) place(ctx context.Context, what placed) error {
	if what.crd != "" {
		if err := p.define(ctx, what.crd); err != nil {
			return err
		}
	}
	there, err := p.dyn.Resource(what.res).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // just defined
		return nil
	}
	if err != nil {
		return err
	}
	list, err := p.dyn.Resource(namespaces).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(what.object), &obj.Object); err != nil {
		return err
	}
	for _, ns := range list.Items {
		has := slices.ContainsFunc(there.Items, func(o unstructured.Unstructured) bool {
			return o.GetNamespace() == ns.GetName() && o.GetName() == obj.GetName()
		})
		if has || ns.GetDeletionTimestamp() != nil || !what.bare && strings.HasPrefix(ns.GetName(), "kube-") {
			continue
		}
		_, err := p.dyn.Resource(what.res).Namespace(ns.GetName()).Create(ctx, obj, metav1.CreateOptions{FieldManager: what.writer})
		if err != nil && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return err
		}
	}
	return nil
}

// define makes the definition of a kind.
func (p *platform) define(ctx context.Context, name string) error {
	for _, part := range strings.Split(platformCRDs, "---\n") {
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(part), &crd.Object); err != nil {
			return err
		}
		if crd.GetName() != name {
			continue
		}
		_, err := p.dyn.Resource(crdsResource).Create(ctx, crd, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	return fmt.Errorf("crds/platform.yaml has no %s", name)
}

// remove removes a kind with its objects, or just the objects of the writer.
func (p *platform) remove(ctx context.Context, what placed) error {
	if what.crd != "" {
		err := p.dyn.Resource(crdsResource).Delete(ctx, what.crd, metav1.DeleteOptions{})
		return ignoreNotFound(err)
	}
	there, err := p.dyn.Resource(what.res).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, o := range there.Items {
		if slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == what.writer }) {
			if err := p.dyn.Resource(what.res).Namespace(o.GetNamespace()).Delete(ctx, o.GetName(), metav1.DeleteOptions{}); ignoreNotFound(err) != nil {
				return err
			}
		}
	}
	return nil
}

// stale registers an API whose Service does not exist, or removes it.
func (p *platform) stale(ctx context.Context, on bool) error {
	if !on {
		return ignoreNotFound(p.dyn.Resource(apiServices).Delete(ctx, staleAPI, metav1.DeleteOptions{}))
	}
	version, group, _ := strings.Cut(staleAPI, ".")
	_, err := p.dyn.Resource(apiServices).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": staleAPI},
		"spec": map[string]any{"group": group, "version": version, "groupPriorityMinimum": int64(100), "versionPriority": int64(100), "insecureSkipTLSVerify": true,
			"service": map[string]any{"namespace": "kube-system", "name": "nobody"}}}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
