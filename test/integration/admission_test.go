package integration

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/test/lab"
)

// admission makes the lab's admission act, and waits until the clusters' API servers know.
func (w *world) admission(t *testing.T, names []string, habits ...string) {
	t.Helper()
	w.behave("--admission", strings.Join(habits, ","))
	for _, name := range names {
		c := w.connect(name)
		for _, habit := range habits {
			require.Eventually(t, func() bool {
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "asked"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}}}
				svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "asked"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 1}}}}
				dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
				pod, err := c.CoreV1().Pods("default").Create(ctx, pod, dry)
				_, refused := c.CoreV1().Services("default").Create(ctx, svc, dry)
				// The habit before stays in force for a moment, so that a refusal has to be this one's.
				if refused != nil {
					return regexp.MustCompile(`["']` + habit + `\.admission\.lab\.example`).MatchString(refused.Error())
				}
				return err == nil && map[string]bool{
					lab.AdmissionResources:   len(pod.Annotations) > 0,
					lab.AdmissionLabels:      len(pod.Labels) > 0,
					lab.AdmissionSidecars:    len(pod.Spec.Containers) == 2,
					lab.AdmissionTolerations: slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool { return t.Key == "lab.example/pool" }),
					lab.AdmissionImages:      strings.HasPrefix(pod.Spec.Containers[len(pod.Spec.Containers)-1].Image, "mirror"),
				}[habit]
			}, patience, pause/4, "%s in %s", habit, name)
		}
	}
}

// Webhooks set what Landbridge leaves open, and change what it writes: that is neither
// drift nor written again. What a person changes still is.
func TestAdmission_ChangesWhatIsWritten_IsNoDriftAndNotWrittenAgain(t *testing.T) {
	w := newWorld(t)
	names := []string{"east", "west"}
	same := w.unchanged(names...)
	w.admission(t, names, lab.AdmissionResources, lab.AdmissionLabels, lab.AdmissionSidecars, lab.AdmissionTolerations, lab.AdmissionImages)
	file := w.file(names)
	w.must("rollout", "-f", file)
	east := w.connect("east")
	d, err := east.AppsV1().Deployments("istio-system").Get(ctx, "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "60m", d.Spec.Template.Spec.Containers[0].Resources.Limits.Cpu().String(), "admission had its way")
	require.Equal(t, "4711", d.Labels["cost-center"])
	pods, err := east.CoreV1().Pods("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	require.NoError(t, err)
	require.Equal(t, "agent", pods.Items[0].Spec.Containers[0].Name)
	require.Contains(t, pods.Items[0].Spec.Containers[1].Image, "mirror.lab.example/")

	before := w.versions("east")
	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("rollout", "-f", file, "--force-conflicts")
	require.Equal(t, before, w.versions("east"), "nothing is written again")

	// A change of the fleet file is one of that field, and a person's change is drift.
	w.must("rollout", "-f", w.file(names, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, eastWest: {podAnnotations: {team: mesh}}"))
	file = w.lastFile
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	_, err = east.AppsV1().Deployments("istio-system").Patch(ctx, "istio-eastwestgateway", types.StrategicMergePatchType,
		[]byte(`{"spec":{"template":{"metadata":{"annotations":{"team":"other"}}}}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	require.NoError(t, err)
	out, code := w.try("drift", "-f", file)
	require.Equal(t, 3, code, out)
	require.Regexp(t, `Deployment istio-system/istio-eastwestgateway.*somebody else changed .*team`, out)
	require.NotContains(t, out, "resources")
	w.must("cleanup", "-f", file)
	w.behave()
	same()
}

// A quota, a webhook and a policy refuse what the worker has the right to: that is Invalid
// with their own reason, and nobody is sent to look for rights. A webhook that does not
// answer is waited for.
func TestAdmission_Refuses_IsToldWithItsOwnReason(t *testing.T) {
	w := newWorld(t)
	names := []string{"east"}
	same := w.unchanged(names...)
	file := w.file(names)
	refused := func(want, file string) {
		t.Helper()
		out, code := w.try("rollout", "-f", file)
		require.NotZero(t, code, out)
		require.Contains(t, out, want)
		require.NotContains(t, out, "every right")
		status, _ := w.try("status", "-f", file, "-o", "json")
		var s struct{ Failures []api.Failure }
		require.NoError(t, json.Unmarshal([]byte(status), &s))
		require.Equal(t, api.TypeInvalid, s.Failures[0].Type, status)
	}
	w.behave("--platform", lab.PlatformQuota)
	require.Eventually(t, func() bool {
		q, err := w.connect("east").CoreV1().ResourceQuotas("default").Get(ctx, "no-load-balancers", metav1.GetOptions{})
		return err == nil && len(q.Status.Used) > 0
	}, patience, pause/4, "Kubernetes counts")
	refused(`services "istio-eastwestgateway" is forbidden: exceeded quota: no-load-balancers, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0`, file)
	w.behave()
	same() // undone, and the platform's quotas went with it

	w.must("rollout", "-f", file)
	changed := w.file(names, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 60s, eastWest: {service: {annotations: {a: b}}}")
	for habit, want := range map[string]string{
		lab.AdmissionRefuse: `admission webhook "refuse.admission.lab.example" denied the request: ` + lab.RefusedByWebhook,
		lab.AdmissionPolicy: "ValidatingAdmissionPolicy 'policy.admission.lab.example' with binding 'policy.admission.lab.example' denied request: " + lab.RefusedByPolicy,
	} {
		w.admission(t, names, habit)
		refused(want, changed)
	}
	w.admission(t, names, lab.AdmissionDown)
	w.must("rollout", "-f", changed, "--detach")
	require.Eventually(t, func() bool {
		out, _ := w.try("status", "-f", changed, "-o", "json")
		return strings.Contains(out, `failed calling webhook \"down.admission.lab.example\"`)
	}, patience, pause)
	w.behave()
	w.must("rollout", "-f", changed)
	w.must("cleanup", "-f", changed)
	same()
}
