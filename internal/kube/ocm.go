package kube

import (
	"context"
	"encoding/base64"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/kinds"
)

// managedCluster reads a ManagedCluster of the management cluster.
func managedCluster(ctx context.Context, c *Cluster, name string) (*unstructured.Unstructured, error) {
	o, err := c.Get(ctx, kinds.ManagedClusters, "", name)
	if err != nil {
		return nil, ofManagement(err, "ManagedCluster "+name, "get ManagedClusters")
	}
	return o, nil
}

// fromOCM makes a kubeconfig of the address that a ManagedCluster has, and of the token Secret of a
// ManagedServiceAccount, whose namespace is called like it.
func fromOCM(o *unstructured.Unstructured, data map[string][]byte) (*clientcmdapi.Config, error) {
	if len(data["token"]) == 0 {
		return nil, errors.New(`has no key "token"; a Secret of a ManagedServiceAccount has the keys token and ca.crt`)
	}
	list, _, _ := unstructured.NestedSlice(o.Object, "spec", "managedClusterClientConfigs")
	for _, item := range list {
		config, _ := item.(map[string]any)
		server, _, _ := unstructured.NestedString(config, "url")
		if server == "" {
			continue
		}
		ca := data["ca.crt"]
		if text, _, _ := unstructured.NestedString(config, "caBundle"); text != "" {
			bundle, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, errors.New("has a ManagedCluster whose caBundle is not base64")
			}
			ca = bundle
		}
		raw := clientcmdapi.NewConfig()
		raw.Clusters["ocm"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
		raw.AuthInfos["ocm"] = &clientcmdapi.AuthInfo{Token: string(data["token"])}
		raw.Contexts["ocm"], raw.CurrentContext = &clientcmdapi.Context{Cluster: "ocm", AuthInfo: "ocm"}, "ocm"
		return raw, nil
	}
	return nil, errors.New("has a ManagedCluster without an address (spec.managedClusterClientConfigs)")
}
