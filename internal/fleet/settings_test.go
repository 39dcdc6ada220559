package fleet

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// leaves calls visit for each field that can be set in a mapping, however deep, with
// its path. The value is that of a new T, in which visit may set it.
func leaves(t reflect.Type, at string, index []int, visit func(path string, index []int)) {
	for _, f := range fields(t) {
		path, here := strings.TrimPrefix(at+"."+jsonName(f), "."), append(append([]int{}, index...), f.Index...)
		if f.Type.Kind() == reflect.Struct {
			leaves(f.Type, path, here, visit)
			continue
		}
		visit(path, here)
	}
}

// sample returns one of two values of a type.
func sample(t *testing.T, of reflect.Type, n int) reflect.Value {
	v := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[Duration]():
		v.SetInt(int64(time.Duration(n+1) * time.Hour))
	case of.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("v%d", n))
	case of.Kind() == reflect.Int:
		v.SetInt(int64(1000 + n))
	case of.Kind() == reflect.Bool:
		v.SetBool(n == 1)
	case of.Kind() == reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(sample(t, of.Elem(), n))
	case of.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(reflect.ValueOf("key"), sample(t, of.Elem(), n))
	case of.Kind() == reflect.Slice:
		v.Set(reflect.Append(v, sample(t, of.Elem(), n)))
	case of.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(fmt.Sprintf("v%d", n)))
	case of.Kind() == reflect.Struct:
		for _, f := range fields(of) {
			v.FieldByIndex(f.Index).Set(sample(t, f.Type, n))
		}
	default:
		t.Fatalf("no sample of %s", of)
	}
	return v
}

// Whatever can be set for the fleet can be set at a cluster, and counts there alone.
func TestSettings_EveryField_OfAClusterWins(t *testing.T) {
	fields := 0
	leaves(reflect.TypeFor[Settings](), "", nil, func(path string, index []int) {
		fields++
		var ofFleet, ofCluster Settings
		of := reflect.TypeFor[Settings]().FieldByIndex(index).Type
		reflect.ValueOf(&ofFleet).Elem().FieldByIndex(index).Set(sample(t, of, 0))
		reflect.ValueOf(&ofCluster).Elem().FieldByIndex(index).Set(sample(t, of, 1))
		f := Fleet{Spec: Spec{Istio: ofFleet.Istio, Gateways: ofFleet.Gateways}}
		get := func(s Settings) any { return reflect.ValueOf(s).FieldByIndex(index).Interface() }

		require.Equal(t, get(ofCluster), get(f.Settings(Cluster{Istio: ofCluster.Istio, Gateways: ofCluster.Gateways})), path)
		require.Equal(t, get(ofFleet), get(f.Settings(Cluster{Name: "another"})), path)
		other := Cluster{Istio: Istio{Version: "v9"}, Gateways: Gateways{APIPort: 9}}
		if path != "istio.version" && path != "gateways.apiPort" {
			require.Equal(t, get(ofFleet), get(f.Settings(other)), "%s stays where the cluster sets something else", path)
		}
		require.Equal(t, get(ofFleet), get(Settings{f.Spec.Istio, f.Spec.Gateways}), "%s of the fleet is as it was", path)
	})
	require.Greater(t, fields, 25)
}

func TestSettings_Mappings_AreLaidOverKeyByKey(t *testing.T) {
	f := parse(t, strings.Replace(small, "{name: west, network: w, kubeconfig: {path: west.kubeconfig}}",
		`{name: west, network: w, kubeconfig: {path: west.kubeconfig}, istio: {version: v1.30.4, namespace: mesh, platform: openshift, values: {pilot: {env: {A: "2"}}}, cniValues: {cni: {cniBinDir: /var/lib/cni/bin}}}, gateways: {apiPort: 443, eastWest: {address: {hostname: west.example.com}}}}`, 1)+
		"  istio: {version: v1.31.0, values: {pilot: {env: {A: \"1\", B: \"1\"}}}, cniValues: {cni: {chained: false}}}\n  gateways: {dataPlanePort: 25443}\n")
	west, _ := f.Cluster("west")
	s := f.Settings(west)
	require.Equal(t, "v1.30.4", s.Istio.Version)
	require.Equal(t, "mesh", s.Istio.Namespace)
	require.Equal(t, "istio-cni", s.Istio.CNINamespace)
	require.Equal(t, map[string]any{"pilot": map[string]any{"env": map[string]any{"A": "2", "B": "1"}}}, s.Istio.Values)
	require.Equal(t, map[string]any{"cni": map[string]any{"chained": false, "cniBinDir": "/var/lib/cni/bin"}}, s.Istio.CNIValues)
	require.Equal(t, 443, s.Gateways.APIPort)
	require.Equal(t, 25443, s.Gateways.DataPlanePort)
	require.Equal(t, Address{Hostname: "west.example.com", Port: 443}, s.Gateways.AddressFor("east", s.Gateways.EastWest.Address))

	east, _ := f.Cluster("east")
	require.Equal(t, Settings{f.Spec.Istio, f.Spec.Gateways}, f.Settings(east))
	require.Equal(t, map[string]any{"pilot": map[string]any{"env": map[string]any{"A": "1", "B": "1"}}}, f.Spec.Istio.Values)
}

// One cluster may have an existing Istio or gateway where the others have Landbridge's,
// and the other way round.
func TestSettings_ClusterOfAnotherSort_StartsAnew(t *testing.T) {
	yes, no := true, false
	f := parse(t, small+"  ca: {manage: false}\n  istio: {values: {a: b}}\n  gateways: {eastWest: {service: {annotations: {a: b}}}}\n")
	s := f.Settings(Cluster{Istio: Istio{Manage: &no}, Gateways: Gateways{EastWest: EastWest{Manage: &no}}})
	require.Empty(t, s.Istio.Values)
	require.Equal(t, DefaultRevision, s.Istio.Revision)
	require.Empty(t, s.Gateways.EastWest.Service.Annotations)
	require.Equal(t, EastWestGateway, s.Gateways.EastWest.Account())

	f = parse(t, small+"  istio: {manage: false, revision: stable}\n  gateways: {eastWest: {manage: false, service: {name: theirs}}}\n")
	s = f.Settings(Cluster{Istio: Istio{Manage: &yes}, Gateways: Gateways{EastWest: EastWest{Manage: &yes}}})
	require.Equal(t, DefaultRevision, s.Istio.Rev())
	require.Empty(t, s.Istio.Revision)
	require.Equal(t, EastWestGateway, s.Gateways.EastWest.ServiceName())
	require.Equal(t, ServiceLoadBalancer, s.Gateways.EastWest.Service.Type)
}

func TestAddressFor_EachSource_ItsOwnOrTheGeneralOne(t *testing.T) {
	g := Gateways{APIPort: 16443, EastWest: EastWest{AddressFor: []SourceAddress{
		{Sources: []string{"east"}, Hostname: "vpce.example.com", Port: 443}, {Sources: []string{"north", "south"}, IPs: []string{"10.0.0.9"}}}}}
	general := Address{IPs: []string{"203.0.113.7"}}
	require.Equal(t, Address{Hostname: "vpce.example.com", Port: 443}, g.AddressFor("east", general))
	require.Equal(t, Address{IPs: []string{"10.0.0.9"}, Port: 16443}, g.AddressFor("south", general))
	require.Equal(t, Address{IPs: []string{"203.0.113.7"}, Port: 16443}, g.AddressFor("west", general))
	g.EastWest.Service.APIPort = 443
	require.Equal(t, 443, g.AddressFor("west", general).Port, "the Service leads from there to the gateway's port")
	g.EastWest.Service = Service{Type: ServiceNodePort, APIPort: 443, NodePort: 31443}
	require.Equal(t, 31443, g.AddressFor("west", general).Port)
	g.EastWest.Address.Port = 8443
	require.Equal(t, 8443, g.AddressFor("west", general).Port)
}

func TestSettings_ClusterWithoutNetworkPolicy_LeavesTheFleetsPeersOut(t *testing.T) {
	f := parse(t, strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, gateways: {egress: {networkPolicy: {enabled: false}}}", 1)+
		"  gateways: {egress: {networkPolicy: {metricsFrom: [{namespaceSelector: {matchLabels: {team: monitoring}}}]}}}\n")
	east, west := f.Settings(f.Spec.Clusters[0]).Gateways.Egress.NetworkPolicy, f.Settings(f.Spec.Clusters[1]).Gateways.Egress.NetworkPolicy
	require.True(t, east.Wanted())
	require.Len(t, east.MetricsFrom, 1)
	require.False(t, west.Wanted())
	require.Empty(t, west.MetricsFrom)
}

// The guide's egress gateways are one for each link, wherever the mode is set.
func TestSettings_AdoptingIntoASharedEgressGateway_IsRefused(t *testing.T) {
	const shared = "gateways: {egress: {mode: shared}}"
	own := strings.Replace(small, "path: west.kubeconfig}}", "path: west.kubeconfig}, "+shared+"}", 1)
	require.NotEqual(t, small, own)
	for at, text := range map[string]string{
		"spec.gateways.egress.mode":                 small + "  " + shared + "\n",
		"spec.clusters[1].gateways.egress.mode":     own,
		"spec.clustersFrom[0].gateways.egress.mode": small + "  clustersFrom: [{source: argocd, namespace: argocd, " + shared + "}]\n",
	} {
		_, err := Parse("fleet.yaml", []byte(text))
		require.NoError(t, err, at)
		_, err = Parse("fleet.yaml", []byte(text+"  adopt: true\n"))
		require.ErrorContains(t, err, at+": does not go with adopt: true")
		require.Equal(t, 1, strings.Count(err.Error(), "does not go with adopt"), "it is said once")
	}
}
