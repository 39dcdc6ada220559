package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/landbridge/landbridge/test/lab"
)

// check looks at all that must hold of the whole after each act: one root, links that can
// carry, nothing orphaned, nothing of others touched, and commands that agree.
func (l *life) check(ctx context.Context) error {
	for _, look := range []func(context.Context) error{l.oneRoot, l.linksCarry, l.requestsPass, l.nothingOrphaned, l.othersAreThere, l.atRest} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) client(cluster string) (*kubernetes.Clientset, error) {
	cfg, err := l.lab.RESTConfig(cluster)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}

func (l *life) dynamic(cluster string) (dynamic.Interface, error) {
	cfg, err := l.lab.RESTConfig(cluster)
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(cfg)
}

// oneRoot requires that every member trusts the root of the first rollout.
func (l *life) oneRoot(ctx context.Context) error {
	for _, c := range l.applied.members {
		client, err := l.client(c)
		if err != nil {
			return err
		}
		s, err := client.CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
		if err != nil {
			return err
		}
		sum := sha256.Sum256(s.Data["root-cert.pem"])
		is := hex.EncodeToString(sum[:8])
		if l.root == "" {
			l.root = is
		}
		if is != l.root {
			return fmt.Errorf("%s has the root %s, and the fleet's is %s", c, is, l.root)
		}
	}
	return nil
}

// linksCarry requires of each link what a request needs: the remote secret has the token
// that the target gave to this source, the target lets the source in, and a gateway is there.
func (l *life) linksCarry(ctx context.Context) error {
	for _, from := range l.applied.members {
		source, err := l.client(from)
		if err != nil {
			return err
		}
		for _, to := range l.applied.members {
			if from == to {
				continue
			}
			if err := l.carries(ctx, source, from, to); err != nil {
				return fmt.Errorf("%s -> %s: %w", from, to, err)
			}
		}
	}
	return nil
}

// requestsPass sends a request through each link, where nodes run containers.
func (l *life) requestsPass(ctx context.Context) error {
	if !l.real() {
		return nil
	}
	return l.says(ctx, 0, "", "verify", "-f", l.file)
}

func (l *life) carries(ctx context.Context, source *kubernetes.Clientset, from, to string) error {
	target, err := l.client(to)
	if err != nil {
		return err
	}
	remote, err := source.CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-"+to, metav1.GetOptions{})
	if err != nil {
		return err
	}
	tokens, err := target.CoreV1().Secrets("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=reader-token,landbridge.dev/link=" + from + "." + to})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tokens.Items, func(s corev1.Secret) bool {
		have := string(s.Data[corev1.ServiceAccountTokenKey])
		return have != "" && strings.Contains(string(remote.Data[to]), have)
	}) {
		return errors.New("the remote secret has another token than the target gave")
	}
	gateway, err := source.AppsV1().Deployments("istio-system").Get(ctx, "kube-apiserver-"+to+"-egress-gateway", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if gateway.Status.ReadyReplicas == 0 {
		return errors.New("no pod of the egress gateway is ready")
	}
	dyn, err := l.dynamic(to)
	if err != nil {
		return err
	}
	_, err = dyn.Resource(ours[2]).Namespace("istio-system").Get(ctx, "kube-apiserver-from-"+from, metav1.GetOptions{})
	return err
}

// nothingOrphaned requires that every object of a link belongs to a link of the fleet, and
// that a cluster which is no member has nothing of it.
func (l *life) nothingOrphaned(ctx context.Context) error {
	for _, c := range l.applied.members {
		var orphans []string
		err := l.lab.EveryObject(ctx, c, func(key string, o *unstructured.Unstructured) {
			link := o.GetLabels()["landbridge.dev/link"]
			from, to, _ := strings.Cut(link, ".")
			if link != "" && (!slices.Contains(l.applied.members, from) || !slices.Contains(l.applied.members, to) || c != from && c != to) {
				orphans = append(orphans, key+" of "+link)
			}
		})
		if err != nil {
			return err
		}
		if len(orphans) > 0 {
			return fmt.Errorf("%s has objects of links that are none: %s", c, strings.Join(orphans, ", "))
		}
	}
	return l.nothingOfUs(ctx, slices.DeleteFunc(slices.Clone(l.all), func(c string) bool { return slices.Contains(l.applied.members, c) }))
}

// nothingOfUs requires that clusters are as they were before the fleet came.
func (l *life) nothingOfUs(ctx context.Context, clusters []string) error {
	var diff []string
	err := until(ctx, limitOfRest, func() error {
		diff = nil
		for _, c := range clusters {
			now, err := l.lab.Snapshot(ctx, c)
			if err != nil {
				return err
			}
			for _, d := range lab.Compare(l.scene.before[c], now) {
				if !slices.ContainsFunc(slices.Sorted(maps.Keys(l.others[c])), func(k string) bool { return strings.Contains(d, k) }) {
					diff = append(diff, c+": "+d)
				}
			}
		}
		if len(diff) > 0 {
			return errors.New("something of the fleet is there:\n" + strings.Join(diff, "\n"))
		}
		return nil
	})
	return err
}

// atRest requires that plan and drift find nothing to do.
func (l *life) atRest(ctx context.Context) error {
	if err := l.says(ctx, 0, "nothing to do", "plan", "-f", l.file, "--exit-code"); err != nil {
		return err
	}
	return l.says(ctx, 0, "is as it was rolled out last", "drift", l.fleetName)
}

// putOthers makes objects that are nobody's of the fleet.
func (l *life) putOthers(ctx context.Context) error {
	l.others = map[string]map[string]string{}
	for _, c := range l.all {
		client, err := l.client(c)
		if err != nil {
			return err
		}
		if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop}}, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		if _, err := client.CoreV1().ConfigMaps(shop).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "prices"}, Data: map[string]string{"tea": "3"}}, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	// Kubernetes adds an account and a certificate to each namespace.
	return until(ctx, limitOfRest, func() error {
		for _, c := range l.all {
			if l.others[c] = l.shopOf(ctx, c); len(l.others[c]) < 4 {
				return fmt.Errorf("%s has %v of the shop", c, slices.Sorted(maps.Keys(l.others[c])))
			}
		}
		return nil
	})
}

// shop is the namespace of somebody else.
const shop = "shop"

// shopOf returns the objects of the shop. Istiod adds a certificate to every namespace.
func (l *life) shopOf(ctx context.Context, cluster string) map[string]string {
	out := map[string]string{}
	now, err := l.lab.Snapshot(ctx, cluster)
	if err != nil {
		return out
	}
	for k, v := range now {
		if _, old := l.scene.before[cluster][k]; !old && (strings.Contains(k, " "+shop+"/") || strings.HasSuffix(k, "/"+shop)) && !strings.Contains(k, "istio-ca-") {
			out[k] = v
		}
	}
	return out
}

func (l *life) othersAreThere(ctx context.Context) error {
	for _, c := range l.all {
		if diff := lab.Compare(l.others[c], l.shopOf(ctx, c)); len(diff) > 0 {
			return fmt.Errorf("%s: what is not the fleet's changed: %s", c, strings.Join(diff, "\n"))
		}
	}
	return nil
}

func (l *life) removeOthers(ctx context.Context) error {
	for _, c := range l.all {
		client, err := l.client(c)
		if err != nil {
			return err
		}
		if err := client.CoreV1().Namespaces().Delete(ctx, shop, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return until(ctx, limitOfRest, func() error {
		for _, c := range l.all {
			if left := l.shopOf(ctx, c); len(left) > 0 {
				return fmt.Errorf("%s still has %v", c, slices.Sorted(maps.Keys(left)))
			}
		}
		return nil
	})
}

// snapshots reads every object of all clusters.
func (l *life) snapshots(ctx context.Context) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, c := range l.all {
		now, err := l.lab.AtRest(ctx, c)
		if err != nil {
			return nil, err
		}
		out[c] = now
	}
	return out, nil
}

func differences(before, after map[string]map[string]string) (out []string) {
	for c := range before {
		for _, d := range lab.Compare(before[c], after[c]) {
			out = append(out, c+": "+d)
		}
	}
	slices.Sort(out)
	return out
}
