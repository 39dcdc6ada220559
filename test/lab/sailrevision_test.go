package lab

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRevisionOf_WhoRefersToWhichRevision_IsToldAsSailTellsIt(t *testing.T) {
	type has = map[string]string
	for _, c := range []struct {
		labels         has
		namespace, pod string
	}{
		{has{}, "", ""},
		{has{"istio-injection": "enabled"}, "default", ""},
		{has{"istio-injection": "enabled", "istio.io/rev": "next"}, "default", "next"},
		{has{"istio.io/rev": "next"}, "next", "next"},
		{has{"sidecar.istio.io/inject": "true"}, "", "default"},
		{has{"sidecar.istio.io/inject": "true", "istio.io/rev": "next"}, "next", "next"},
		{has{"sidecar.istio.io/inject": "false", "istio.io/rev": "next"}, "next", ""},
	} {
		require.Equal(t, c.namespace, revisionOfNamespace(c.labels), c.labels)
		require.Equal(t, c.pod, revisionOfPod(c.labels), c.labels)
	}
}
