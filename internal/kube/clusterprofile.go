package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// offer holds what a profile says of one provider. Its cluster has the form of a kubeconfig's.
type offer struct {
	Name    string          `json:"name"`
	Cluster json.RawMessage `json:"cluster"`
}

// fromProfile returns the kubeconfig that a ClusterProfile and the worker's access providers
// make. The first of the worker's providers that the profile names is taken.
func (a Access) fromProfile(ctx context.Context, ref fleet.ClusterProfile) (*clientcmdapi.Config, error) {
	o, err := a.readProfile(ctx, ref)
	if err != nil {
		return nil, err
	}
	raw, err := a.profileConfig(o)
	if err == nil {
		err = confineCluster(raw.Clusters["profile"])
	}
	if err != nil {
		return nil, &KubeconfigError{ref.String() + " " + err.Error()}
	}
	return raw, nil
}

func (a Access) readProfile(ctx context.Context, ref fleet.ClusterProfile) (*unstructured.Unstructured, error) {
	c, err := a.OpenManagement()
	if err != nil {
		return nil, err
	}
	for _, kind := range kinds.ClusterProfiles {
		var o *unstructured.Unstructured
		if o, err = c.Get(ctx, kind, ref.Namespace, ref.Name); err == nil {
			return o, nil
		}
		if !apierrors.IsNotFound(err) {
			break
		}
	}
	return nil, ofManagement(err, ref.String(), "get ClusterProfiles in namespace "+ref.Namespace)
}

func (a Access) profileConfig(o *unstructured.Unstructured) (*clientcmdapi.Config, error) {
	offers := map[string]offer{}
	for _, field := range []string{"credentialProviders", "accessProviders"} { // the newer field counts
		list, _, _ := unstructured.NestedSlice(o.Object, "status", field)
		data, err := json.Marshal(list)
		var some []offer
		if err == nil {
			err = json.Unmarshal(data, &some)
		}
		if err != nil {
			return nil, fmt.Errorf("has a status.%s that cannot be read", field)
		}
		for _, s := range some {
			offers[s.Name] = s
		}
	}
	for _, p := range a.Providers {
		if s, ok := offers[p.Name]; ok {
			return p.kubeconfig(s)
		}
	}
	names := "none"
	if len(offers) > 0 {
		names = listed(slices.Sorted(maps.Keys(offers)))
	}
	return nil, fmt.Errorf("names no access provider that this worker knows (--access-providers-file); it names %s", names)
}
