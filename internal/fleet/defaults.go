package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// DefaultTaskQueue serves workflows and activities where neither a fleet file nor
// a worker names another one.
const DefaultTaskQueue = "landbridge"

// DefaultDataPlanePort is Istio's port for the mesh's traffic between networks.
const DefaultDataPlanePort = 15443

// DefaultCNINamespace has Istio's CNI plugin where a fleet file names no other one.
const DefaultCNINamespace = "istio-cni"

// tenYears follows Istio's tools/certs, which gives 3650 days to roots.
const tenYears = Duration(3650 * 24 * time.Hour)

// SetDefaults fills in all that the file leaves out. It is safe to repeat.
func (f *Fleet) SetDefaults() {
	s := &f.Spec
	or(&s.TaskQueue, DefaultTaskQueue)
	settings := Settings{s.Istio, s.Gateways}
	settings.setDefaults(f.Metadata.Name)
	s.Istio, s.Gateways = settings.Istio, settings.Gateways
	if s.CA.Manage == nil && !s.Istio.Managed() {
		no := false
		s.CA.Manage = &no
	}
	or(&s.Rollout.MaxParallel, 10)
	or(&s.Rollout.OnFailure, OnFailureUndo)
	or(&s.Rollout.Prune, PruneLast)
	or(&s.Rollout.Approval, ApprovalNone)
	for i := range s.Rollout.Waves {
		or(&s.Rollout.Waves[i].Name, fmt.Sprintf("wave-%d", i+1))
	}
	or(&s.Rollout.StepTimeout, Duration(15*time.Minute))
	or(&s.Rollout.UndoTimeout, Duration(DefaultUndoTimeout))
	or(&s.Rollout.ProofTimeout, Duration(2*time.Minute))
	for i := range s.Notifications {
		if s.Notifications[i].Events == nil { // a list without an event is refused
			s.Notifications[i].Events = slices.Clone(events)
		}
	}
	if len(s.ClustersFrom) > 0 {
		or(&s.Management.TaskQueue, s.TaskQueue)
	}
	for i := range s.ClustersFrom {
		s.ClustersFrom[i].setDefaults(s.TaskQueue)
	}
	for i := range s.Clusters {
		or(&s.Clusters[i].TaskQueue, s.TaskQueue)
		s.Clusters[i].Kubeconfig.Secret.setDefaults()
		// A server name is compared as it stands, by Envoy too, and means the same in lower case.
		name := &s.Clusters[i].APIServer.TLSServerName
		*name = strings.ToLower(*name)
	}
	s.CA.setDefaults(f)
	if !s.Links.Mesh && s.Links.Hub == nil && s.Links.Groups == nil && s.Links.List == nil {
		s.Links.Mesh = true
	}
	if s.Links.Hub != nil {
		or(&s.Links.Hub.Direction, "both")
	}
}

// setDefaults fills in what a cluster is set up with.
func (s *Settings) setDefaults(fleetName string) {
	s.defaultExisting()
	i, g := &s.Istio, &s.Gateways
	or(&i.Name, DefaultRevision)
	or(&i.Namespace, "istio-system")
	or(&i.CNINamespace, DefaultCNINamespace)
	or(&i.MeshID, fleetName)
	or(&i.TrustDomain, "cluster.local")
	or(&g.APIPort, 16443)
	or(&g.DataPlanePort, DefaultDataPlanePort)
	if g.EastWest.Managed() {
		or(&g.EastWest.Service.Type, ServiceLoadBalancer)
	}
	or(&g.EastWest.Addresses, AddressesFirst)
	or(&g.LoadBalancerTimeout, Duration(15*time.Minute))
	if len(g.DataPlaneHosts) == 0 {
		g.DataPlaneHosts = []string{"*.local"}
	}
}

// DefaultUndoTimeout outlasts most outages of a cluster.
const DefaultUndoTimeout = time.Hour

// or sets v to the default where it has its zero value.
func or[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
