package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// PutBack makes what KeepOriginal wrote down for the owner what it was, where it is still
// the same object: Helm rolls a release back, and does not know what people did to its
// objects by hand. With onlyRun it takes only what that run wrote down.
func (w *Writer) PutBack(ctx context.Context, onlyRun string) error {
	secrets, err := w.Owned(ctx, kinds.Secrets, fleet.SystemNamespace, onlyRun)
	if err != nil || w.DryRun {
		return err
	}
	for i := range secrets {
		if !strings.HasPrefix(secrets[i].GetName(), originalPrefix) {
			continue
		}
		if err := w.putBack(ctx, &secrets[i]); err != nil {
			return err
		}
		if err := w.deleteExactly(ctx, kinds.Secrets, &secrets[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) putBack(ctx context.Context, kept *unstructured.Unstructured) error {
	was := &unstructured.Unstructured{}
	if err := json.Unmarshal(dataOf(kept, originalKey), &was.Object); err != nil {
		return &DeadEndError{Reason: fmt.Sprintf("Secret %s does not say what an object was: %v; delete it, then try again", path(kept.GetNamespace(), kept.GetName()), err)}
	}
	res, ok := kinds.ResourceOf(was.GroupVersionKind())
	if !ok {
		return fmt.Errorf("kind %s is not in internal/kinds", was.GroupVersionKind())
	}
	live, err := w.Get(ctx, res, was.GetNamespace(), was.GetName())
	if apierrors.IsNotFound(err) || err == nil && string(live.GetUID()) != string(dataOf(kept, originalUID)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s %s: %w", res.Kind, path(was.GetNamespace(), was.GetName()), err)
	}
	if err := w.BeforeWrite(ctx); err != nil {
		return err
	}
	_, err = w.turnInto(ctx, res, live, was.Object)
	return err
}

// dataOf reads a key of a Secret.
func dataOf(secret *unstructured.Unstructured, key string) []byte {
	text, _, _ := unstructured.NestedString(secret.Object, "data", key)
	data, _ := base64.StdEncoding.DecodeString(text)
	return data
}
