package activities

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

func FuzzCloudStatus(f *testing.F) {
	for _, s := range []string{
		`{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.10"}]}}}`,
		`{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.10"},{"ip":"2001:db8::1"},{"ip":"203.0.113.10"}]}}}`,
		`{"status":{"loadBalancer":{"ingress":[{"hostname":"lb.example.com"},{}]}}}`,
		`{"status":{"loadBalancer":{"ingress":[{"ip":" "},{"ip":"nonsense","hostname":"a b"}]}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var svc corev1.Service
		if json.Unmarshal(data, &svc) != nil {
			return
		}
		list := listedAddresses(&svc)
		a := chooseAddress(list, fleet.AddressesFirst)
		require.Equal(t, len(list) > 0, a.Known())
		require.True(t, slices.IsSorted(a.IPs), "they are of one kind: a change of order is no change")
		require.Len(t, a.IPs, len(slices.Compact(slices.Clone(a.IPs))), "twice the same endpoint is refused by Istio")
		for _, ip := range a.IPs {
			_, err := netip.ParseAddr(ip)
			require.NoError(t, err)
		}
		require.False(t, a.Hostname != "" && len(a.IPs) > 0)
	})
}
