package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
)

// one returns a kubeconfig with one context.
func one(path, context, cluster, server string) kubeconfig {
	raw := clientcmdapi.NewConfig()
	raw.Clusters[cluster] = &clientcmdapi.Cluster{Server: server}
	raw.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: "t"}
	raw.Contexts[context] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: "u"}
	return kubeconfig{Path: path, Config: raw}
}

func draftOf(t *testing.T, files ...kubeconfig) ([]initCluster, string) {
	t.Helper()
	d, chosen, err := newDraft("prod", files, nil)
	require.NoError(t, err)
	_, err = d.file()
	require.NoError(t, err)
	var table strings.Builder
	chosen.print(&table, d.Clusters)
	return d.Clusters, table.String()
}

func clusterNames(clusters []initCluster) (out []string) {
	for _, c := range clusters {
		out = append(out, c.Name)
	}
	return out
}

// The golden files have the fleet file and the table of kubeconfigs as platforms write them.
func TestInit_KubeconfigsOfPlatforms_MakeAFleet(t *testing.T) {
	for _, name := range []string{"contexts", "platforms"} {
		var stdout, stderr strings.Builder
		code := Main([]string{"init", "-f", "-", "--kubeconfig", filepath.Join("testdata", name+".yaml")}, &stdout, &stderr)
		require.Zero(t, code, stderr.String())
		_, err := fleet.Parse(name, []byte(stdout.String()))
		require.NoError(t, err)
		golden(t, filepath.Join("testdata", "init-"+name+".golden"), stdout.String()+"\n"+stderr.String())
	}
}

func TestCluster_IsCalledAsAPersonWouldCallIt(t *testing.T) {
	for _, c := range []struct{ path, context, cluster, server, want string }{
		{"", "arn:aws-us-gov:eks:us-gov-west-1:111122223333:cluster/shop", "c", "https://192.0.2.1", "shop"},
		{"", "i-0abc@shop.eu-west-1.eksctl.io", "c", "https://192.0.2.1", "shop"},
		{"", "gke_example.com:acme_europe-west1-b_shop", "c", "https://192.0.2.1", "shop"},
		{"", "connectgateway_acme_europe-west1_shop", "c", "https://192.0.2.1", "shop"},
		{"", "connectgateway_acme_shop", "c", "https://192.0.2.1", "shop"},
		{"", "shop-admin", "shop", "https://x.hcp.westeurope.azmk8s.io", "shop"},
		{"", "shop-admin", "shop", "https://192.0.2.1", "shop-admin"},
		{"", "default/api-shop-prod-example-com:6443/kube:admin", "c", "https://API.shop-prod.example.com:6443", "shop-prod"},
		{"", "/api-shop-prod-example-com:6443/system:admin", "c", "https://192.0.2.1", "shop-prod"},
		{"", "web/api-crc-testing:6443/jane", "c", "https://api.crc.testing:6443", "crc"},
		{"", "web/192-0-2-1:6443/jane", "c", "https://192.0.2.1:6443", "192-0-2-1"},
		{"", "web/[2001:db8::10]:6443/jane", "c", "https://[2001:db8::10]:6443", "2001-db8-10"},
		{"", "web/api-shop-testing:6443/jane", "c", "https://127.0.0.1:6443", "shop-testing"},
		{"", "admin", "shop", "https://api.other.example.com:6443", "shop"},
		{"", "admin", "api-shop-example-com:6443", "https://api.shop.example.com:6443", "shop"},
		{"", "kind-dev", "kind-dev", "https://127.0.0.1:1", "kind-dev"},
		{"", "k3d-dev", "k3d-dev", "https://0.0.0.0:1", "k3d-dev"},
		{"", "admin@shop", "c", "https://192.0.2.1", "shop"},
		{"", "shop/c1abcdef", "c", "https://192.0.2.1", "shop"},
		{"", "do-fra1-shop", "c", "https://192.0.2.1", "do-fra1-shop"},
		{"shop.yaml", "default", "default", "https://127.0.0.1:6443", "shop"},
		{"shop/auth/kubeconfig", "admin", "kubernetes", "https://192.0.2.1", "shop"},
		{"config", "kubernetes-admin@kubernetes", "kubernetes", "https://k8s.shop.example.com", "shop"},
		{"", "kubernetes-admin@kubernetes", "kubernetes", "https://192.0.2.1", "kubernetes"},
		{"", "Path-to-to-Prod_1", "c", "https://192.0.2.1", "path-prod-1"},
		{"", "***", "???", "https://192.0.2.1", "cluster"},
		{"", "123", "c", "https://192.0.2.1", "123"},
		{"", "true", "c", "https://192.0.2.1", "true"},
	} {
		got, _ := draftOf(t, one(c.path, c.context, c.cluster, c.server))
		require.Equal(t, c.want, got[0].Name, c.context)
	}
}

func TestClusters_OfOneName_AreToldApart(t *testing.T) {
	eks := func(region, account, name string) identity {
		return identity{Name: name, Apart: []string{region, account}}
	}
	for name, c := range map[string]struct {
		ids  []identity
		want []string
	}{
		"by region":               {[]identity{eks("eu-west-1", "1", "shop"), eks("us-east-1", "1", "shop")}, []string{"shop-eu-west-1", "shop-us-east-1"}},
		"by account":              {[]identity{eks("eu-west-1", "111122223333", "shop"), eks("eu-west-1", "444455556666", "shop")}, []string{"shop-111122223333", "shop-444455556666"}},
		"by number":               {[]identity{eks("r", "1", "shop"), eks("r", "2", "shop"), eks("s", "1", "shop")}, []string{"shop", "shop-2", "shop-3"}},
		"one has no region":       {[]identity{{Name: "shop"}, eks("eu-west-1", "1", "shop")}, []string{"shop", "shop-eu-west-1"}},
		"two have no region":      {[]identity{{Name: "shop"}, {Name: "Shop"}, eks("eu-west-1", "1", "shop")}, []string{"shop", "shop-2", "shop-3"}},
		"the number is taken":     {[]identity{{Name: "shop"}, {Name: "shop"}, {Name: "shop-2"}}, []string{"shop", "shop-3", "shop-2"}},
		"the region is taken":     {[]identity{eks("a", "1", "shop"), eks("b", "2", "shop"), {Name: "shop-a"}}, []string{"shop-1", "shop-2", "shop-a"}},
		"long names that are cut": {[]identity{{Name: "acme-platform-production-a"}, {Name: "acme-platform-production-b"}}, []string{"acme-platform-productio", "acme-platform-product-2"}},
		"a long region": {[]identity{eks("northamerica-northeast1", "1", "payments-live"), eks("northamerica-northeast2", "2", "payments-live")},
			[]string{"payments-live-1", "payments-live-2"}},
		"a word that stands in identities": {[]identity{eks("to", "1", "road"), eks("to-x", "2", "road")}, []string{"road-to", "road-x"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for i, n := range distinct(c.ids) {
				got = append(got, n.Name)
				require.LessOrEqual(t, len(n.Name), longestName)
				require.Equal(t, n.Name == c.ids[i].Name || n.Name == strings.ToLower(c.ids[i].Name), n.Note == "", n)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestServer_IsOneCluster_HoweverItIsWritten(t *testing.T) {
	first := one("a", "first", "c", "https://Api.shop.example.com/")
	for name, c := range map[string]struct {
		change func(*kubeconfig)
		want   []string
	}{
		"the same":        {func(*kubeconfig) {}, []string{"first"}},
		"another port":    {func(k *kubeconfig) { k.Clusters["c"].Server += ":6443" }, []string{"first", "second"}},
		"another path":    {func(k *kubeconfig) { k.Clusters["c"].Server += "/k8s/clusters/c-1" }, []string{"first", "second"}},
		"through a proxy": {func(k *kubeconfig) { k.Clusters["c"].ProxyURL = "http://192.0.2.9:3128" }, []string{"first", "second"}},
		"by its SNI":      {func(k *kubeconfig) { k.Clusters["c"].TLSServerName = "second.example.com" }, []string{"first", "second"}},
		"behind Teleport": {func(k *kubeconfig) {
			k.AuthInfos["u"].Exec = &clientcmdapi.ExecConfig{Args: []string{"--kube-cluster=second"}}
		}, []string{"first", "second"}},
	} {
		second := one("b", "second", "c", "https://api.SHOP.example.com:443")
		if strings.Contains(name, "another") {
			second.Clusters["c"].Server = "https://api.shop.example.com"
		}
		c.change(&second)
		got, table := draftOf(t, first, second)
		require.Equal(t, c.want, clusterNames(got), name)
		require.Equal(t, len(c.want) == 1, strings.Contains(table, "left out: the same API server as first of a"), table)
	}
}

func TestServer_OfTwoContexts_TheCurrentOne_UnlessTheyAreNamed(t *testing.T) {
	k := one("", "a", "c", "https://192.0.2.1")
	k.Contexts["b"], k.CurrentContext = k.Contexts["a"], "b"
	got, table := draftOf(t, k)
	require.Equal(t, []string{"b"}, clusterNames(got))
	require.Contains(t, table, "taken from 2 contexts of its API server: the current one")
	d, _, err := newDraft("prod", []kubeconfig{k}, []string{"a", "b"})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, clusterNames(d.Clusters))
}

// The table shows no credentials, and gives a terminal nothing to obey.
func TestTable_ShowsNoSecret_AndNoEscape(t *testing.T) {
	k := one("", "a\x1b[2J", "c", "https://jane:hush@192.0.2.1/x?token=hush")
	_, table := draftOf(t, k)
	require.NotContains(t, table, "hush")
	require.NotContains(t, table, "\x1b")
	require.Contains(t, table, `"a\x1b[2J"`)
}

// Rancher writes a second way to its clusters; elsewhere a longer name is another cluster.
func TestServer_OfALongerName_IsAnotherCluster_UnlessRancherWroteBoth(t *testing.T) {
	for server, want := range map[string][]string{
		"https://rancher.example.com/k8s/clusters/c-1": {"shop"},
		"https://192.0.2.1":                            {"shop", "shop-fqdn"},
	} {
		k := one("", "shop", "shop", server)
		second := one("", "shop-fqdn", "shop-fqdn", "https://192.0.2.2")
		k.Clusters["shop-fqdn"], k.Contexts["shop-fqdn"] = second.Clusters["shop-fqdn"], second.Contexts["shop-fqdn"]
		got, _ := draftOf(t, k)
		require.Equal(t, want, clusterNames(got), server)
	}
}
