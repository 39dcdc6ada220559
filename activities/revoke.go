package activities

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// tokenMemory limits how long a token may be accepted after its Secret went. An API server
// remembers for 10 s that it accepted one.
const tokenMemory = 30 * time.Second

// RevokeLink shuts a source out at its target: it removes the policy that lets the source
// through the east-west gateway, the Secret of the source's token and the account of it, and
// sees that the API server refuses that token from then on. The token does not leave the activity.
func (a *Activities) RevokeLink(ctx context.Context, in api.RevokeLinkInput) (api.RevokeLinkResult, error) {
	here := api.RemoveInput{ClusterRef: in.ClusterRef, Link: in.Link.ID()}
	w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentToken, in.Link.ID())
	if err != nil {
		return api.RevokeLinkResult{}, err
	}
	secrets, err := w.Owned(ctx, kinds.Secrets, in.Namespace, "")
	if err != nil {
		return api.RevokeLinkResult{}, err
	}
	tokens, err := acceptedTokens(ctx, w.Cluster, secrets)
	if err != nil {
		return api.RevokeLinkResult{}, err
	}
	out := api.RevokeLinkResult{}
	policies, err := a.RemoveAccess(ctx, here)
	out.Changes.Changes = append(out.Changes.Changes, policies.Changes...)
	if err != nil {
		return out, err
	}
	gone := time.Now()
	removed, err := a.RemoveReaderToken(ctx, here)
	out.Changes.Changes = append(out.Changes.Changes, removed.Changes...)
	if err == nil {
		removed, err = a.RemoveReader(ctx, here)
		out.Changes.Changes = append(out.Changes.Changes, removed.Changes...)
	}
	switch {
	case err != nil || in.DryRun:
		return out, err
	case len(secrets) == 0:
		out.Note = "there was no token of the source"
		return out, nil
	case len(tokens) == 0:
		out.Note = "the API server, as the worker reaches it, did not accept the token before either"
		return out, nil
	}
	if err := untilRefused(ctx, w.Cluster, tokens, tokenMemory); err != nil {
		return out, err
	}
	out.Refused, out.After = true, time.Since(gone)
	return out, nil
}

// acceptedTokens returns the tokens in these Secrets that the API server accepts.
func acceptedTokens(ctx context.Context, c *kube.Cluster, secrets []unstructured.Unstructured) (tokens [][]byte, err error) {
	for _, s := range secrets {
		text, _, _ := unstructured.NestedString(s.Object, "data", corev1.ServiceAccountTokenKey)
		token, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(token) == 0 {
			continue // Kubernetes has not filled it yet
		}
		accepted, err := c.Accepts(ctx, token)
		if err != nil {
			return nil, fmt.Errorf("ask the API server with the source's token: %w", err)
		}
		if accepted {
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

// untilRefused waits until the API server accepts none of the tokens, or a limit is over.
func untilRefused(ctx context.Context, c *kube.Cluster, tokens [][]byte, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := kube.Poll(limited, func(ctx context.Context) (string, bool, error) {
		var failed error
		tokens = slices.DeleteFunc(tokens, func(token []byte) bool {
			accepted, err := c.Accepts(ctx, token)
			if err != nil {
				failed = err
			}
			return err == nil && !accepted
		})
		return "the API server still accepts the token, whose Secret is gone: it remembers one for some seconds", len(tokens) == 0, failed
	})
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return &kube.DeadEndError{Reason: fmt.Sprintf("%v, %s after it went; the source is shut out at the east-west gateway only", err, limit)}
	}
	return err
}
