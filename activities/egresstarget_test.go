package activities

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// targets lists where a target may be reached; each has a golden file with the
// ServiceEntry and the DestinationRule.
var targets = map[string]fleet.Address{
	"hostname":        {Hostname: "lb.west.example.com", Port: 16443},
	"ipv4":            {IPs: []string{"203.0.113.7"}, Port: 16443},
	"ipv6":            {IPs: []string{"2001:db8::7"}, Port: 16443},
	"private-link":    {Hostname: "vpce-0123.example.com", Port: 443},
	"nodes":           {IPs: []string{"192.168.1.2", "192.168.1.3"}, Port: 31443},
	"both-families":   {IPs: []string{"2001:db8::7", "203.0.113.7"}, Port: 16443},
	"ip-and-hostname": {IPs: []string{"203.0.113.7"}, Hostname: "lb.west.example.com", Port: 16443},
}

func TestEgressTarget_EachKindOfAddress_IsTheGoldenOne(t *testing.T) {
	for name, address := range targets {
		t.Run(name, func(t *testing.T) {
			in := api.EnsureEgressConfigInput{LinkRef: api.LinkRef{ClusterRef: api.ClusterRef{Namespace: "istio-system"}, Link: fromEast[0]},
				TLSServerName: "api.west.example.com", Address: address, APIPort: 16443, TrustDomain: "cluster.local", TargetNamespace: "mesh"}
			var docs []map[string]any
			for _, obj := range []any{targetEntry(in), targetTLS(in)} {
				data, err := json.Marshal(obj)
				require.NoError(t, err)
				var doc map[string]any
				require.NoError(t, json.Unmarshal(data, &doc))
				delete(doc, "status")
				docs = append(docs, doc)
			}
			golden(t, filepath.Join("testdata", "egresstarget", name+".yaml"), docs)

			// The file that a test writes may be wrong, too: what has to be so.
			entry := targetEntry(in)
			require.Equal(t, address.Hostname == "", entry.Spec.Resolution.String() == "STATIC")
			first := 0
			for i, e := range entry.Spec.Endpoints {
				require.Equal(t, address.All()[i], e.Address)
				if e.Labels[fleet.LabelAddress] != "" {
					first++
				}
				if address.Port == in.APIPort {
					require.Empty(t, e.Ports)
				} else {
					require.Equal(t, uint32(address.Port), e.Ports[entry.Spec.Ports[0].Name])
				}
			}
			several := len(address.All()) > 1
			require.Equal(t, several, first == 1, "one of several is tried before the others")
			require.Equal(t, several, targetTLS(in).Spec.TrafficPolicy.OutlierDetection != nil, "one alone is never left out")
			require.True(t, strings.HasSuffix(targetTLS(in).Spec.TrafficPolicy.Tls.Sni, ".mesh.svc.cluster.local"), "the target listens for the name in its own namespace")
			require.Equal(t, []string{"spiffe://cluster.local/ns/mesh/sa/istio-eastwestgateway"}, entry.Spec.SubjectAltNames)
		})
	}
}
