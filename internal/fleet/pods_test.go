package fleet

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// podFields has two values of every field of Pods, as a file writes them.
var podFields = map[string][2]string{
	"replicas":                  {"3", "5"},
	"resources":                 {"{requests: {cpu: 50m}, limits: {memory: 1Gi}}", "{requests: {cpu: 1}, limits: {memory: 1073741824}}"},
	"podDisruptionBudget":       {"{maxUnavailable: 1}", "{minAvailable: 50%}"},
	"topologySpreadConstraints": {"[{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule}]", "[]"},
	"affinity":                  {"{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [edge]}]}]}}}", "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}}"},
	"tolerations":               {"[{key: edge, operator: Exists, effect: NoSchedule}]", "[{operator: Exists}]"},
	"nodeSelector":              {"{pool: edge}", "{pool: gateways}"},
	"priorityClassName":         {"system-cluster-critical", "high"},
	"imagePullSecrets":          {"[{name: mirror}]", "[{name: other}, {name: mirror}]"},
	"podAnnotations":            {"{example.com/a: b}", "{example.com/a: c}"},
	"values":                    {"{terminationGracePeriodSeconds: 60}", "{terminationGracePeriodSeconds: 90, autoscaling: {enabled: false}}"},
}

func TestPods_EveryField_OfTheFleetAndOverThatOfACluster(t *testing.T) {
	require.Len(t, podFields, len(fields(reflect.TypeFor[Pods]())), "every field has its two values here")
	for name, value := range podFields {
		for _, gateway := range []string{"eastWest", "egress"} {
			of := func(n int) string { return fmt.Sprintf("gateways: {%s: {%s: %s}}", gateway, name, value[n]) }
			f := parse(t, strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, "+of(1), 1)+"  "+of(0)+"\n")
			alone := parse(t, small+"  "+of(1)+"\n")
			west, _ := f.Cluster("west")
			east, _ := f.Cluster("east")
			get := func(g Gateways) any { return podField(t, g, gateway, name) }

			require.Equal(t, get(f.Spec.Gateways), get(f.Settings(east).Gateways), "%s of %s", name, gateway)
			require.NotEqual(t, get(f.Spec.Gateways), get(f.Settings(west).Gateways), "%s of %s", name, gateway)
			if _, mapping := get(alone.Spec.Gateways).(map[string]any); !mapping && name != "resources" {
				require.Equal(t, get(alone.Spec.Gateways), get(f.Settings(west).Gateways), "%s of %s at the cluster", name, gateway)
			}
		}
	}
}

func podField(t *testing.T, g Gateways, gateway, name string) any {
	t.Helper()
	v := reflect.ValueOf(g.Egress.Pods)
	if gateway == "eastWest" {
		v = reflect.ValueOf(g.EastWest.Pods)
	}
	for _, f := range fields(v.Type()) {
		if jsonName(f) == name {
			return v.FieldByIndex(f.Index).Interface()
		}
	}
	t.Fatalf("Pods has no field %s", name)
	return nil
}

func TestPods_OfAnExistingGateway_AreRefused(t *testing.T) {
	for name, value := range podFields {
		_, err := Parse("fleet.yaml", []byte(small+"  gateways: {eastWest: {manage: false, "+name+": "+value[0]+"}}\n"))
		requireProblem(t, err, "spec.gateways.eastWest."+name, "this one exists already")
	}
}

func TestPods_ValuesThatAreOursOrHaveAField_AreRefusedAtTheirPlace(t *testing.T) {
	places := map[string]func(string) string{
		"spec.gateways.": func(text string) string { return small + "  gateways: " + text + "\n" },
		"spec.clusters[1].gateways.": func(text string) string {
			return strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, gateways: "+text, 1)
		},
	}
	refused := map[string][]chartValue{"eastWest": append(chartValues, eastWestValues...), "egress": chartValues}
	for gateway, values := range refused {
		for _, v := range values {
			for at, file := range places {
				for _, value := range []string{"x", ""} {
					text := fmt.Sprintf("{%s: {values: %s}}", gateway, valuesAt(strings.Split(v.path, "."), value))
					_, err := Parse("fleet.yaml", []byte(file(text)))
					requireProblem(t, err, at+gateway+".values."+v.path, v.instead)
				}
			}
		}
	}
	for name := range podFields {
		if name != "replicas" && name != "values" {
			require.Contains(t, chartValues, sameField(name)[0], "whatever has a field is set there")
		}
	}
	for _, egress := range eastWestValues {
		parse(t, small+"  gateways: {egress: {values: "+valuesAt(strings.Split(egress.path, "."), "x")+"}}\n")
	}
}

// requireProblem wants one problem, at a path of the file.
func requireProblem(t *testing.T, err error, path, message string) {
	t.Helper()
	var invalid *InvalidError
	require.True(t, errors.As(err, &invalid), "%s: %v", path, err)
	require.Len(t, invalid.Problems, 1, "%v", err)
	require.Equal(t, path, invalid.Problems[0].Path)
	require.Contains(t, invalid.Problems[0].Message, message)
	require.Positive(t, invalid.Problems[0].Line)
}

// A drain of one node must end, and must leave one pod that works.
func TestBudget_LetsADrainEnd_OrThereIsNone(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		pods Pods
		want DisruptionBudget
		none bool
	}{
		"the default":          {pods: Pods{}, want: DisruptionBudget{MaxUnavailable: 1, UnhealthyPodEvictionPolicy: AlwaysAllow}},
		"one replica":          {pods: Pods{Replicas: ptr(1)}, none: true},
		"not wanted":           {pods: Pods{PodDisruptionBudget: DisruptionBudget{Enabled: &no}}, none: true},
		"minAvailable instead": {pods: Pods{PodDisruptionBudget: DisruptionBudget{MinAvailable: "50%"}}, want: DisruptionBudget{MinAvailable: "50%", UnhealthyPodEvictionPolicy: AlwaysAllow}},
		"strict with unhealthy pods": {pods: Pods{Replicas: ptr(3), PodDisruptionBudget: DisruptionBudget{MaxUnavailable: 2, UnhealthyPodEvictionPolicy: "IfHealthyBudget"}},
			want: DisruptionBudget{MaxUnavailable: 2, UnhealthyPodEvictionPolicy: "IfHealthyBudget"}},
	} {
		got, ok := c.pods.Budget()
		require.Equal(t, c.none, !ok, name)
		require.Equal(t, c.want, got, name)
		if ok {
			n, err := got.evictable(c.pods.Count())
			require.NoError(t, err, name)
			require.Positive(t, n, name)
		}
	}
}

func TestBudget_ThatWouldKeepANode_IsRefused(t *testing.T) {
	for text, message := range map[string]string{
		"{podDisruptionBudget: {minAvailable: 2}}":                                         "2 of 2 replicas would let no pod go",
		"{podDisruptionBudget: {minAvailable: 60%}}":                                       "60% of 2 replicas",
		"{podDisruptionBudget: {maxUnavailable: 0}}":                                       "0 of 2 replicas",
		"{podDisruptionBudget: {maxUnavailable: 0%}, replicas: 9}":                         "0% of 9 replicas",
		"{podDisruptionBudget: {maxUnavailable: half}}":                                    "want a number or a percentage such as 50%, got half",
		"{podDisruptionBudget: {maxUnavailable: 1, minAvailable: 1}}":                      "not both",
		"{podDisruptionBudget: {enabled: true}, replicas: 1}":                              "set replicas: 2, or leave it out",
		"{podDisruptionBudget: {maxUnavailable: 1}, replicas: 1}":                          "set replicas: 2, or leave it out",
		"{podDisruptionBudget: {unhealthyPodEvictionPolicy: Never}}":                       "want AlwaysAllow or IfHealthyBudget",
		"{podDisruptionBudget: {minAvailable: 3}, replicas: 4, values: {}}":                "",
		"{podDisruptionBudget: {maxUnavailable: 30%}}":                                     "",
		"{podDisruptionBudget: {enabled: false}, replicas: 1}":                             "",
		"{podDisruptionBudget: {unhealthyPodEvictionPolicy: AlwaysAllow}}":                 "",
		"{podDisruptionBudget: {enabled: false, unhealthyPodEvictionPolicy: AlwaysAllow}}": "",
	} {
		_, err := Parse("fleet.yaml", []byte(small+"  gateways: {egress: "+text+"}\n"))
		if message == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, message, text)
	}
}

// A cluster that wants it otherwise need not know what the fleet says.
func TestBudget_OfACluster_ReplacesTheFleets(t *testing.T) {
	for text, want := range map[string]DisruptionBudget{
		"{podDisruptionBudget: {minAvailable: 1}}":   {MinAvailable: 1.0, UnhealthyPodEvictionPolicy: "IfHealthyBudget"},
		"{podDisruptionBudget: {maxUnavailable: 3}}": {MaxUnavailable: 3.0, UnhealthyPodEvictionPolicy: "IfHealthyBudget"},
		"{replicas: 1}": {},
	} {
		f := parse(t, strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, gateways: {eastWest: "+text+", egress: "+text+"}", 1)+
			"  gateways:\n    eastWest: {podDisruptionBudget: {maxUnavailable: 1, unhealthyPodEvictionPolicy: IfHealthyBudget}}\n    egress: {podDisruptionBudget: {maxUnavailable: 1, unhealthyPodEvictionPolicy: IfHealthyBudget}}\n")
		west, _ := f.Cluster("west")
		for _, p := range []Pods{f.Settings(west).Gateways.EastWest.Pods, f.Settings(west).Gateways.Egress.Pods} {
			got, _ := p.Budget()
			require.Equal(t, want, got, text)
		}
	}
}

func ptr[T any](v T) *T { return &v }
