package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// everything sets each value to something else than its default.
const everything = `
image: {repository: registry.example.com/landbridge-worker, tag: v9, digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", pullPolicy: Always}
imagePullSecrets: [{name: registry}]
replicas: 3
temporal:
  address: temporal.example.com:443
  namespace: landbridge.prod
  tls: {secretName: temporal-client, ca: false, serverName: temporal.internal}
  envSecret: temporal-key
kubeconfigs:
  secrets:
  - {name: west-kubeconfig, items: [{key: value, path: west.yaml}]}
  - {name: maybe, optional: true}
taskQueues: [west, "yes"]
extraArgs: [--parallel, "10"]
extraEnv: [{name: HTTPS_PROXY, value: "http://proxy.example.com:3128"}]
extraVolumes: [{name: plugins, emptyDir: {}}]
extraVolumeMounts: [{name: plugins, mountPath: /usr/bin}]
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/landbridge}}
resources: {limits: {memory: 1Gi}}
podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}
securityContext: {privileged: false}
podAnnotations: {example.com/team: mesh}
podLabels: {example.com/cost: platform}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: infra, operator: Exists}]
affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}
priorityClassName: system-cluster-critical
podDisruptionBudget: {enabled: false}
networkPolicy: {enabled: true, metricsFrom: observability, egressPorts: [443, 16443]}
`

func TestChart_EachValueArrives(t *testing.T) {
	got := rendered(t, everything)
	require.NotContains(t, got, "PodDisruptionBudget")
	var pod corev1.PodTemplateSpec
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(got["Deployment"]["spec"].(object)["template"].(object), &pod, true))
	c := pod.Spec.Containers[0]
	require.Equal(t, "registry.example.com/landbridge-worker@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", c.Image)
	require.Equal(t, corev1.PullAlways, c.ImagePullPolicy)
	require.Equal(t, []string{"--kubeconfig-dir", "/kubeconfigs", "--no-root", "--listen", ":9464", "--task-queue", "west", "--task-queue", "yes", "--parallel", "10"}, c.Args)
	require.Equal(t, []corev1.EnvVar{{Name: "TEMPORAL_ADDRESS", Value: "temporal.example.com:443"}, {Name: "TEMPORAL_NAMESPACE", Value: "landbridge.prod"},
		{Name: "TEMPORAL_TLS_CLIENT_CERT_PATH", Value: "/temporal-tls/tls.crt"}, {Name: "TEMPORAL_TLS_CLIENT_KEY_PATH", Value: "/temporal-tls/tls.key"},
		{Name: "TEMPORAL_TLS_SERVER_NAME", Value: "temporal.internal"}, {Name: "HTTPS_PROXY", Value: "http://proxy.example.com:3128"}}, c.Env)
	require.Equal(t, "temporal-key", c.EnvFrom[0].SecretRef.Name)
	require.Nil(t, pod.Spec.SecurityContext.RunAsUser) // OpenShift gives one
	require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot)
	require.Len(t, pod.Spec.Volumes, 4)
	require.Equal(t, []corev1.KeyToPath{{Key: "value", Path: "west.yaml"}}, pod.Spec.Volumes[0].Projected.Sources[0].Secret.Items)
	require.True(t, *pod.Spec.Volumes[0].Projected.Sources[1].Secret.Optional)
	require.Equal(t, "temporal-client", pod.Spec.Volumes[2].Secret.SecretName)

	// What is set is found, and what is not set by default is not there.
	text := func(objects map[string]object) string {
		out, err := yaml.Marshal(objects)
		require.NoError(t, err)
		return string(out)
	}
	all, few := text(got), text(rendered(t, fewest))
	for _, want := range []string{"name: registry\n", "replicas: 3", "mountPath: /usr/bin", "arn:aws:iam::111122223333:role/landbridge", "memory: 1Gi", "example.com/team: mesh", "example.com/cost: platform",
		"kubernetes.io/os: linux", "key: infra", "nodeAffinity", "system-cluster-critical", "observability", "port: 16443"} {
		require.Contains(t, all, want)
		require.NotContains(t, few, want)
	}
	require.Contains(t, text(rendered(t, fewest+"temporal: {tls: {secretName: temporal-client}}\n")), "/temporal-tls/ca.crt")
	require.NotContains(t, rendered(t, fewest+"replicas: 1\n"), "PodDisruptionBudget") // it would stop every drain
	require.NotContains(t, rendered(t, fewest+"networkPolicy: {enabled: false}\n"), "NetworkPolicy")
}

func TestChart_ASettingThatCannotBe_IsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                       "set image.repository to the image that `make image` made and you pushed to your registry",
		fewest + "replica: 3\n":    "additional properties 'replica' not allowed",
		fewest + "replicas: 0\n":   "at '/replicas'",
		fewest + "replicas: '2'\n": "at '/replicas'",
		fewest + "temporal: {address: temporal.example.com}\n":     "at '/temporal/address'",
		fewest + "kubeconfigs: {secrets: []}\n":                    "at '/kubeconfigs/secrets'",
		fewest + "kubeconfigs: {secrets: [east, west]}\n":          "at '/kubeconfigs/secrets/0'",
		fewest + "networkPolicy: {egressPorts: [https]}\n":         "at '/networkPolicy/egressPorts/0'",
		"image: {repository: landbridge-worker, digest: latest}\n": "at '/image/digest'",
	} {
		_, err := installed(t, text)
		require.ErrorContains(t, err, want, text)
	}
}

// The schema describes each value of values.yaml, and no other.
func TestChart_TheSchemaDescribesEachValue(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	require.NoError(t, err)
	var schema object
	require.NoError(t, json.Unmarshal(data, &schema))
	var described func(path string, schema object, values map[string]any)
	described = func(path string, schema object, values map[string]any) {
		properties, _ := schema["properties"].(object)
		for name, v := range values {
			p, ok := properties[name].(object)
			require.True(t, ok, path+name)
			require.NotEmpty(t, p["description"], path+name)
			if inner, ok := v.(map[string]any); ok && p["properties"] != nil {
				described(path+name+".", p, inner)
			}
		}
		for name := range properties {
			if name != "global" { // Helm's own
				require.Contains(t, values, name, path)
			}
		}
	}
	described("", schema, loaded(t).Values)
}

func TestChart_ItsNotesSayWhatComesNext(t *testing.T) {
	rel, err := installed(t, everything)
	require.NoError(t, err)
	notes := rel.Info.Notes
	for _, want := range []string{"temporal.example.com:443", "west-kubeconfig, maybe.", "kubectl -n landbridge create secret generic west-kubeconfig", "`landbridge rbac`",
		"rollout status deployment/landbridge-worker", "spec.ca.root.cluster", "This worker serves only west, yes"} {
		require.Contains(t, notes, want)
	}
}
