package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// istiodAt has a ready istiod with these addresses and variables.
func (w *world) istiodAt(ips []string, env ...corev1.EnvVar) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "istiod-1", Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}},
		Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: "discovery", Env: env}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	for _, ip := range ips {
		p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	w.Put(p)
}

// Where pods have both families, a proxy listens on IPv4 only unless istiod is told.
func TestGateways_ThatWouldNotAnswerOnIPv6_AreRefusedAtOnce(t *testing.T) {
	const v4, v6 = "10.200.0.4", "2001:db8::4"
	on := corev1.EnvVar{Name: dualStack, Value: "true"}
	for name, c := range map[string]struct {
		ips     []string
		env     []corev1.EnvVar
		policy  string
		refused bool
	}{
		"IPv4":                               {[]string{v4}, nil, fleet.PreferDualStack, false},
		"IPv6":                               {[]string{v6}, nil, "", false},
		"both, a Service of the first":       {[]string{v4, v6}, nil, "", false},
		"both, a Service of both":            {[]string{v4, v6}, nil, fleet.PreferDualStack, true},
		"both, a Service of both, told":      {[]string{v4, v6}, []corev1.EnvVar{on}, fleet.PreferDualStack, false},
		"IPv6 first":                         {[]string{v6, v4}, nil, "", true},
		"IPv6 first, told not to":            {[]string{v6, v4}, []corev1.EnvVar{{Name: dualStack, Value: "false"}}, "", true},
		"IPv6 first, told":                   {[]string{v6, v4}, []corev1.EnvVar{on}, "", false},
		"IPv6 first, told by something else": {[]string{v6, v4}, []corev1.EnvVar{{Name: dualStack, ValueFrom: &corev1.EnvVarSource{}}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "west").withInventory()
			w.istiodAt(c.ips, c.env...)
			in := w.eastWest()
			in.Gateways.EastWest.Service.IPFamilyPolicy = c.policy
			_, err := w.acts.EnsureEastWestGateway(t.Context(), in)
			if !c.refused {
				require.NoError(t, err)
				return
			}
			var dead *kube.DeadEndError
			require.ErrorAs(t, err, &dead)
			require.ErrorContains(t, err, "the Service of istio-eastwestgateway leads to IPv6, and istiod (pod istiod-1) has proxies listen on IPv4 only; set gateways.eastWest.service.ipFamilyPolicy: PreferDualStack")
			in.DryRun = true
			_, err = w.acts.EnsureEastWestGateway(t.Context(), in)
			require.NoError(t, err, "a rollout may set it before")
		})
	}
}
