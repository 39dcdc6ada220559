package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// What an istiod holds of the target may be gone or old while clusterz says "synced" and a
// request goes through. Three faults of Istio before 1.31 do that: all endpoints of a cluster
// gone after its remote secret changed, the gateways of other clusters forgotten after a
// remote secret was deleted, and a watch that goes on with a token that is refused.

const (
	// viewTries and viewPause bound how long an istiod may lag behind the target.
	viewTries = 4
	viewPause = 3 * time.Second
)

// holds compares what each running istiod of the source holds with what the target has now.
func (p *prober) holds(ctx context.Context, _ *api.CheckLinkResult) (seen string, broken *breakage, err error) {
	pods, err := p.istiods(ctx)
	if err != nil {
		return "", nil, err
	}
	var why string
	for try := range viewTries {
		if try > 0 {
			if err := pause(ctx, viewPause); err != nil {
				return "", nil, err
			}
		}
		if seen, why, broken = p.compare(ctx, pods); why == "" || broken != nil {
			break
		}
	}
	if why == "" && broken == nil {
		why, err = p.watchFails(ctx, pods)
	}
	if why != "" {
		broken = &breakage{hop: api.HopView, why: why}
	}
	return seen, broken, err
}

// compare returns what all istiods hold, or why one does not hold what the target has.
func (p *prober) compare(ctx context.Context, pods []string) (seen, why string, broken *breakage) {
	there, broken := p.readTarget(ctx)
	if broken != nil {
		return "", "", broken
	}
	for _, pod := range pods {
		here, err := p.readIstiod(ctx, pod)
		if err != nil {
			return "", "", &breakage{hop: api.HopIstiod, why: fmt.Sprintf("%s does not tell what it holds: %v", pod, err)}
		}
		shared, why := compareEndpoints(there.endpoints, here.endpoints)
		if why == "" && shared == 0 && len(there.endpoints) > 0 && !p.selects(ctx, pod) {
			why = fmt.Sprintf("holds no endpoint of %s, where %s", p.id, some(len(there.endpoints)))
		}
		if why == "" {
			why = compareGateways(p.id, there.gateways, here.gateways)
		}
		if why != "" {
			return "", pod + " " + why, nil
		}
		seen = fleet.Count(shared, "Service")
	}
	return seen, "", nil
}

func some(services int) string {
	if services == 1 {
		return "1 Service has some"
	}
	return fmt.Sprintf("%d Services have some", services)
}

// compareEndpoints counts the Services that both have endpoints of. One whose endpoints have
// nothing in common is old: single ones may come and go meanwhile.
func compareEndpoints(there, here map[string][]string) (shared int, why string) {
	for _, service := range slices.Sorted(maps.Keys(there)) {
		held := here[service]
		if len(held) == 0 {
			continue
		}
		if !slices.ContainsFunc(there[service], func(a string) bool { return slices.Contains(held, a) }) {
			return shared, fmt.Sprintf("holds other endpoints of Service %s (%s) than the target has (%s)", service, list(held), list(there[service]))
		}
		shared++
	}
	return shared, ""
}

// compareGateways compares the addresses at which the target's network is reached.
func compareGateways(id string, there, here []string) string {
	switch {
	case len(there) == 0 || slices.ContainsFunc(there, func(a string) bool { return slices.Contains(here, a) }):
		return ""
	case len(here) == 0:
		return fmt.Sprintf("knows no gateway of the network of %s, which is at %s", id, list(there))
	}
	return fmt.Sprintf("has %s for the gateway of the network of %s, which is at %s", list(here), id, list(there))
}

func list(of []string) string {
	const most = 3
	if len(of) > most {
		return strings.Join(of[:most], ", ") + fmt.Sprintf(" and %d others", len(of)-most)
	}
	return strings.Join(of, ", ")
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// view holds, of one cluster, the ready addresses of each Service by namespace/name, and the
// IPs of the gateways of its network.
type view struct {
	endpoints map[string][]string
	gateways  []string
}

// readIstiod reads what an istiod holds of the target.
func (p *prober) readIstiod(ctx context.Context, pod string) (v view, err error) {
	var shards map[string]map[string]struct {
		Shards map[string][]struct {
			Addresses []string
			Address   string // before Istio 1.25
		}
	}
	if err := p.ask(ctx, pod, "/debug/endpointShardz", &shards); err != nil {
		return v, err
	}
	v.endpoints = map[string][]string{}
	for host, namespaces := range shards {
		name, _, _ := strings.Cut(host, ".")
		for ns, s := range namespaces {
			for _, e := range s.Shards["Kubernetes/"+p.id] {
				addresses := e.Addresses
				if e.Address != "" {
					addresses = append(addresses, e.Address)
				}
				v.endpoints[ns+"/"+name] = append(v.endpoints[ns+"/"+name], addresses...)
			}
		}
	}
	var gateways []struct{ Cluster, Addr string }
	if err := p.ask(ctx, pod, "/debug/networkz", &gateways); err != nil {
		return v, err
	}
	for _, g := range gateways {
		if g.Cluster == p.id {
			v.gateways = append(v.gateways, g.Addr)
		}
	}
	return v, nil
}

// selects says whether the mesh reads chosen namespaces only, so that there may be nothing
// to hold.
func (p *prober) selects(ctx context.Context, pod string) bool {
	var mesh struct {
		DiscoverySelectors []any `json:"discoverySelectors"`
	}
	return p.ask(ctx, pod, "/debug/mesh", &mesh) == nil && len(mesh.DiscoverySelectors) > 0
}

// ask reads one of the debug pages of an istiod.
func (p *prober) ask(ctx context.Context, pod, path string, into any) error {
	data, err := p.getFromPod(ctx, pod, debugPort, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s is not as Istio has it: %w", path, err)
	}
	return nil
}

// refusedStatus says whether the reader may not read something, so that nothing is known.
func refusedStatus(code int) bool {
	return code == http.StatusForbidden || code == http.StatusNotFound
}
