package activities

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const componentRemoteSecret = "remote-secret"

// EnsureRemoteSecret does the source's half of the guide's last step: it writes the
// Secret that tells istiod how to reach the target, as `istioctl
// create-remote-secret` does, with tls-server-name. An unchanged one is never
// written again: istiod would drop the cluster for a moment.
func (a *Activities) EnsureRemoteSecret(ctx context.Context, in api.EnsureRemoteSecretInput) (fleet.Changes, error) {
	w, err := a.adopting(ctx, in.ClusterRef, componentRemoteSecret, in.Link.ID())
	if err != nil {
		return fleet.Changes{}, err
	}
	if in.DryRun {
		return dryRemoteSecret(ctx, w, in)
	}
	if in.OnlyReplace || in.KeepMode {
		there, err := readSecret(ctx, w.Cluster, in.Namespace, fleet.RemoteSecret(in.Link.To))
		if err != nil || there == nil && in.OnlyReplace {
			return fleet.Changes{}, err
		}
		if there != nil && in.KeepMode {
			in.Mode = modeOf(there.Data, in)
		}
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, sealingSecret, sealingKey)
	if err != nil {
		return fleet.Changes{}, err
	}
	cred, err := unseal(key, in.Sealed)
	if err != nil {
		return fleet.Changes{}, err
	}
	obj, err := remoteSecret(in, cred)
	if err != nil {
		return fleet.Changes{}, err
	}
	err = w.Apply(ctx, obj)
	return w.Changes(), err
}

// RemoveRemoteSecret undoes EnsureRemoteSecret.
func (a *Activities) RemoveRemoteSecret(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentRemoteSecret, in.Namespace, kinds.Secrets)
}

// dryRemoteSecret looks only whether the secret exists: without a token that the
// target has sealed, its content is not known, but who set it is.
func dryRemoteSecret(ctx context.Context, w *kube.Writer, in api.EnsureRemoteSecretInput) (fleet.Changes, error) {
	live, err := w.Owned(ctx, kinds.Secrets, in.Namespace, "")
	if err != nil {
		return fleet.Changes{}, err
	}
	ch := fleet.Change{Action: fleet.Create, Kind: kinds.Secrets.Kind, Namespace: in.Namespace, Name: fleet.RemoteSecret(in.Link.To)}
	if len(live) > 0 {
		ch.Action = fleet.Keep
		var is corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live[0].Object, &is); err != nil {
			return fleet.Changes{}, wrap(err, "read the remote secret")
		}
		switch {
		case in.NewToken:
			ch.Action, ch.Note = fleet.Update, "gets a new token"
		case modeOf(is.Data, in) != in.Mode:
			ch.Action, ch.Note = fleet.Update, "gets the address of the other egress gateway"
		}
		if err := w.NoteTouched(&ch, &live[0], remoteSecretOf(in, is.Data[in.TargetIstioID()])); err != nil {
			return fleet.Changes{}, err
		}
	} else if there, err := readSecret(ctx, w.Cluster, in.Namespace, ch.Name); err != nil {
		return fleet.Changes{}, err
	} else if there != nil {
		ch.Action, ch.Note = fleet.Adopt, "gets a token of the fleet's own"
	}
	w.Note(ch)
	return w.Changes(), nil
}

// modeOf returns the mode of the egress gateway to which a remote secret leads. One that leads
// elsewhere has none of its own.
func modeOf(data map[string][]byte, in api.EnsureRemoteSecretInput) fleet.EgressMode {
	cfg, err := clientcmd.Load(data[in.TargetIstioID()])
	if err != nil || cfg.Clusters[in.TargetIstioID()] == nil {
		return in.Mode
	}
	for _, m := range []fleet.EgressMode{in.Mode, in.Mode.Other()} {
		if cfg.Clusters[in.TargetIstioID()].Server == m.Server(in.Link.To, in.Namespace) {
			return m
		}
	}
	return in.Mode
}

func remoteSecret(in api.EnsureRemoteSecretInput, cred credentials) (*corev1.Secret, error) {
	target, id := in.Link.To, in.TargetIstioID()
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[id] = &clientcmdapi.Cluster{
		Server:                   in.Mode.Server(target, in.Namespace),
		TLSServerName:            in.TLSServerName,
		CertificateAuthorityData: cred.CA,
	}
	cfg.AuthInfos[id] = &clientcmdapi.AuthInfo{Token: string(cred.Token)}
	cfg.Contexts[id] = &clientcmdapi.Context{Cluster: id, AuthInfo: id}
	cfg.CurrentContext = id
	data, err := clientcmd.Write(*cfg)
	if err != nil {
		return nil, fmt.Errorf("write the kubeconfig of the remote secret")
	}
	return remoteSecretOf(in, data), nil
}

// remoteSecretOf returns the Secret that has a kubeconfig.
func remoteSecretOf(in api.EnsureRemoteSecretInput, kubeconfig []byte) *corev1.Secret {
	id := in.TargetIstioID()
	s := secret(in.Namespace, fleet.RemoteSecret(in.Link.To), corev1.SecretTypeOpaque, map[string][]byte{id: kubeconfig})
	s.Labels = map[string]string{"istio/multiCluster": "true"}
	s.Annotations = map[string]string{"networking.istio.io/cluster": id}
	return s
}
