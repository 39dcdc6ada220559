package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
)

// InCluster stands, in place of a file, for the service account of the worker's own pod.
const InCluster = "in-cluster"

// managementName names the management cluster in messages.
const managementName = "the management cluster"

// Management says how a worker reaches the management cluster: the one whose Secrets say how
// the clusters of a fleet are reached. The worker alone says it, so that nobody who starts a
// workflow can have it look elsewhere.
type Management struct {
	// Kubeconfig names a file, or InCluster. Empty: the worker reads no management cluster.
	Kubeconfig string
	// Context in that file. Empty: its current context.
	Context string
}

// Given says whether the worker may read a management cluster.
func (m Management) Given() bool { return m.Kubeconfig != "" }

// WatchManagement returns how the management cluster is reached by who watches it: a watch lasts
// longer than any other request.
func (a Access) WatchManagement() (*rest.Config, error) {
	cfg, err := a.managementConfig()
	if err == nil {
		cfg.Timeout = 0
	}
	return cfg, err
}

// OpenManagement connects to the management cluster. Nothing is sent yet.
func (a Access) OpenManagement() (*Cluster, error) {
	cfg, err := a.managementConfig()
	if err != nil {
		return nil, err
	}
	return connect(managementName, cfg, func(context.Context) (*rest.Config, error) { return a.managementConfig() })
}

func (a Access) managementConfig() (*rest.Config, error) {
	m := a.Management
	if !m.Given() {
		return nil, &KubeconfigError{"this worker was started without --management-kubeconfig, and so reads no management cluster"}
	}
	if m.Kubeconfig == InCluster {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			return nil, &KubeconfigError{"--management-kubeconfig " + InCluster + ": this worker runs in no pod with a service account"}
		}
		return a.tuned(cfg), nil
	}
	raw, err := clientcmd.LoadFromFile(m.Kubeconfig)
	if err == nil {
		err = clientcmd.ResolveLocalPaths(raw)
	}
	var cfg *rest.Config
	if err == nil {
		cfg, err = clientcmd.NewNonInteractiveClientConfig(*raw, m.Context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	}
	if err != nil { // the cause may quote the file
		return nil, &KubeconfigError{fmt.Sprintf("--management-kubeconfig %s is no kubeconfig that can be used, or has no such context", m.Kubeconfig)}
	}
	return a.tuned(cfg), nil
}

// fromSecret returns what a Secret of the management cluster says of a cluster. The error never
// looks like one of the cluster itself: where the Secret is missing, the cluster is not.
func (a Access) fromSecret(ctx context.Context, ref fleet.Kubeconfig) (*clientcmdapi.Config, error) {
	s := ref.Secret
	c, err := a.OpenManagement()
	if err != nil {
		return nil, err
	}
	data, err := readSecret(ctx, c, s)
	if err != nil {
		return nil, err
	}
	var raw *clientcmdapi.Config
	switch s.Format {
	case fleet.FormatArgoCD:
		raw, err = fromArgoCD(data)
	case fleet.FormatOCM:
		of, failed := managedCluster(ctx, c, s.Namespace)
		if failed != nil {
			return nil, failed
		}
		raw, err = fromOCM(of, data)
	case fleet.FormatKubeconfig:
		raw, err = fromKey(data, s.Key)
	default:
		err = fmt.Errorf("has a format that this worker does not know: %q", s.Format)
	}
	if err == nil {
		err = a.confine(raw, ref.Context)
	}
	if err != nil {
		return nil, &KubeconfigError{s.String() + " " + err.Error()}
	}
	return raw, nil
}

// readSecret reads a Secret of the management cluster.
func readSecret(ctx context.Context, c *Cluster, s fleet.KubeconfigSecret) (map[string][]byte, error) {
	found, err := c.Client.CoreV1().Secrets(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
	if err != nil {
		return nil, ofManagement(err, s.String(), fmt.Sprintf("get Secrets in namespace %s", s.Namespace))
	}
	return found.Data, nil
}

// ofManagement returns the error of a request to the management cluster. A 404 or 403 of it
// must not be taken for one of a member: there a 404 means that something is gone.
func ofManagement(err error, what, right string) error {
	switch {
	case apierrors.IsNotFound(err):
		return &KubeconfigError{fmt.Sprintf("%s is not in %s", what, managementName)}
	case apierrors.IsForbidden(err):
		return &KubeconfigError{fmt.Sprintf("%s cannot be read: %s denies the worker to %s (403); `landbridge rbac --management` prints the role", what, managementName, right)}
	}
	return fmt.Errorf("read %s in %s: %w", what, managementName, err)
}

// fromKey reads the kubeconfig under one key of a Secret.
func fromKey(data map[string][]byte, key string) (*clientcmdapi.Config, error) {
	text, ok := data[key]
	if !ok {
		return nil, fmt.Errorf("has no key %q", key)
	}
	raw, err := clientcmd.Load(text)
	if err != nil || len(raw.Clusters) == 0 { // the cause may quote it
		return nil, fmt.Errorf("has no kubeconfig with a cluster in it under the key %q", key)
	}
	return raw, nil
}
