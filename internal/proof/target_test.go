package proof

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// having is such an API server with these EndpointSlices and gateways of its network.
func having(slices, gateways string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+readerJWT:
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "endpointslices"):
			_, _ = io.WriteString(w, slices)
		case strings.HasSuffix(r.URL.Path, "/services"):
			_, _ = io.WriteString(w, gateways)
		}
	}
}

// What west has, as its API server answers.
const (
	targetSlices = `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","items":[
{"metadata":{"name":"hello-1","namespace":"shop","labels":{"kubernetes.io/service-name":"hello"}},"addressType":"IPv4","endpoints":[{"addresses":["10.2.0.7"],"conditions":{"ready":true}},{"addresses":["10.2.0.8"],"conditions":{"ready":false}}]},
{"metadata":{"name":"dns-1","namespace":"kube-system","labels":{"kubernetes.io/service-name":"kube-dns"}},"addressType":"IPv4","endpoints":[{"addresses":["10.2.0.2"],"conditions":{"ready":true}}]}]}`
	targetGateway = `{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"istio-eastwestgateway","namespace":"istio-system"},
"spec":{"type":"LoadBalancer","ports":[{"port":15443}]},"status":{"loadBalancer":{"ingress":[{"ip":"198.51.100.7"}]}}}]}`
)

// What istiod 1.31 answers on /debug/endpointShardz and /debug/networkz, as far as it is read.
const (
	shardsOfWest = `{"hello.shop.svc.cluster.local":{"shop":{"Shards":{"Kubernetes/east":[{"Addresses":["10.1.0.3"]}],"Kubernetes/west":[{"Addresses":["10.2.0.7"],"EndpointPort":8080}]},"ServiceAccounts":{}}},
"kube-dns.kube-system.svc.cluster.local":{"kube-system":{"Shards":{"Kubernetes/west":[{"Addresses":["10.2.0.2"]}]}}}}`
	gatewaysOfAll = `[{"Network":"east","Cluster":"east","Addr":"198.51.100.1","Port":15443},{"Network":"west","Cluster":"west","Addr":"198.51.100.7","Port":15443}]`
)

// saysOfClusters is an istiod with that answer on /debug/clusterz, that holds what west has.
func saysOfClusters(clusterz string) http.HandlerFunc {
	return pages(map[string]string{"/debug/clusterz": clusterz})
}

// pages is an istiod with these pages in place of what it says when all is well.
func pages(other map[string]string) http.HandlerFunc {
	well := map[string]string{"/debug/clusterz": synced, "/debug/endpointShardz": shardsOfWest, "/debug/networkz": gatewaysOfAll, "/debug/mesh": `{"trustDomain":"cluster.local"}`}
	maps.Copy(well, other)
	return func(w http.ResponseWriter, r *http.Request) {
		page, ok := well[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, page)
	}
}

// page has one of the istiods answer so on a page.
func page(path, answer string) func(*testing.T, *source) {
	return istiod(pages(map[string]string{path: answer}))
}

// lineRefused is from the log of an istiod that watches with a token that is gone.
const lineRefused = "2026-11-29T18:00:00.000000Z\terror\twatch error in cluster west: failed to list *v1.Service: Unauthorized\n"
