package activities

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

const (
	sealingSecret    = "landbridge-sealing-key"
	sealingKey       = "identity.age"
	componentSealing = "sealing-key"
)

// EnsureSealingKey gives a source cluster an age key pair, in a Secret of that
// cluster. What is sealed to it crosses the workflow unreadable, and stays so for
// good once cleanup has removed the key.
func (a *Activities) EnsureSealingKey(ctx context.Context, in api.EnsureSealingKeyInput) (api.EnsureSealingKeyResult, error) {
	w, err := a.writer(ctx, in.ClusterRef, componentSealing, "")
	if err != nil {
		return api.EnsureSealingKeyResult{}, err
	}
	key, err := readSecretKey(ctx, w.Cluster, fleet.SystemNamespace, sealingSecret, sealingKey)
	if err != nil {
		return api.EnsureSealingKeyResult{}, err
	}
	id, err := age.ParseX25519Identity(string(key))
	made := err != nil
	if made { // there is none, or it is broken; what was sealed to it has been used
		if id, err = age.GenerateX25519Identity(); err != nil {
			return api.EnsureSealingKeyResult{}, err
		}
	}
	err = w.Apply(ctx, secret(fleet.SystemNamespace, sealingSecret, corev1.SecretTypeOpaque, map[string][]byte{sealingKey: []byte(id.String())}))
	out := w.Changes()
	if made && in.DryRun { // the rollout makes another one
		for i := range out.Changes {
			out.Changes[i].Fields = nil
		}
	}
	return api.EnsureSealingKeyResult{Changes: out, Recipient: id.Recipient().String()}, err
}

// RemoveSealingKey undoes EnsureSealingKey.
func (a *Activities) RemoveSealingKey(ctx context.Context, in api.RemoveInput) (fleet.Changes, error) {
	return a.removeAll(ctx, in, componentSealing, fleet.SystemNamespace, kinds.Secrets)
}

// credentials holds what a remote secret needs of the target. It leaves an activity
// sealed only.
type credentials struct {
	CA    []byte `json:"ca"`
	Token []byte `json:"token"`
}

// seal encrypts credentials to the age recipient of a cluster.
func seal(recipient string, c credentials) (string, error) {
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return "", fmt.Errorf("the source's sealing key is not an age recipient")
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	sealed, err := encrypt(plain, to)
	return base64.StdEncoding.EncodeToString(sealed), wrap(err, "seal the token")
}

// unseal decrypts what was sealed to a cluster. Its errors quote none of it.
func unseal(identity []byte, sealed string) (credentials, error) {
	var c credentials
	id, err := age.ParseX25519Identity(string(identity))
	if err != nil {
		return c, &kube.DeadEndError{Reason: fmt.Sprintf("the sealing key in Secret %s/%s is gone or broken; roll out again", fleet.SystemNamespace, sealingSecret)}
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return c, &kube.DeadEndError{Reason: "what the target sealed is not base64"}
	}
	r, err := age.Decrypt(bytes.NewReader(data), id)
	if err != nil {
		return c, &kube.DeadEndError{Reason: "what the target sealed was not sealed to this cluster's key; roll out again"}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return c, &kube.DeadEndError{Reason: "what the target sealed is damaged"}
	}
	if json.Unmarshal(plain, &c) != nil {
		return c, &kube.DeadEndError{Reason: "what the target sealed cannot be read"}
	}
	return c, nil
}
