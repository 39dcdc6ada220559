package fleet

// EastWest says whether Landbridge installs the east-west gateway, and where the others
// reach it. An existing one is in Istio's namespace; Landbridge adds to it only the port
// of the API and its configuration.
type EastWest struct {
	// Manage says whether Landbridge installs the gateway. Default: true.
	Manage *bool `json:"manage,omitempty"`
	// Service in front of the gateway.
	Service Service `json:"service,omitzero"`
	// Labels by which the gateway's pods are selected. Default: istio: eastwestgateway.
	Labels map[string]string `json:"labels,omitempty"`
	// ServiceAccount that the gateway's pods run as: its identity in the mesh.
	// Default: the name of the Service.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// Addresses chooses among those in the Service's status: first (those of the family
	// and kind of the first one), all, ipv4, ipv6, public, private or hostname. Default:
	// first.
	Addresses string `json:"addresses,omitempty" jsonschema:"enum=first,enum=all,enum=ipv4,enum=ipv6,enum=public,enum=private,enum=hostname"`
	// Address where the sources reach the gateway, if it is not in the Service's status:
	// of a proxy, NAT, a private endpoint, a VIP or the nodes. With a hostname or IPs
	// nothing waits for a load balancer. A port alone goes with the Service's own address.
	Address Address `json:"address,omitzero"`
	// AddressFor lists the sources that reach the gateway elsewhere than the others, such
	// as through their own private endpoint.
	AddressFor []SourceAddress `json:"addressFor,omitempty"`
	Pods
}

// Service describes the Service of an east-west gateway.
type Service struct {
	// Name of the Service of an existing gateway. Default: istio-eastwestgateway.
	Name string `json:"name,omitempty"`
	// Annotations for the cloud, where Landbridge installs the gateway.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Type of the Service: LoadBalancer, NodePort or ClusterIP. The last two need
	// eastWest.address. Default: LoadBalancer.
	Type string `json:"type,omitempty" jsonschema:"enum=LoadBalancer,enum=NodePort,enum=ClusterIP"`
	// APIPort of the Service leads to that of the gateway: 443, for instance, where
	// firewalls let nothing else through. Default: the gateway's.
	APIPort int `json:"apiPort,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// NodePort on each node leads to the gateway's apiPort. Default: Kubernetes chooses
	// one.
	NodePort int `json:"nodePort,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// LoadBalancerClass names the controller that serves the Service. It cannot be
	// changed later. Default: the cluster's.
	LoadBalancerClass string `json:"loadBalancerClass,omitempty"`
	// SourceRanges from which the cloud lets connections in, such as 10.0.0.0/8.
	// Default: all.
	SourceRanges []string `json:"sourceRanges,omitempty"`
	// ExternalTrafficPolicy says whether nodes pass connections on to others: Cluster or
	// Local. Default: Cluster.
	ExternalTrafficPolicy string `json:"externalTrafficPolicy,omitempty" jsonschema:"enum=Cluster,enum=Local"`
	// IPFamilies of the Service, the first one first: IPv4, IPv6. With IPv6, or with two, an
	// Istio that Landbridge installs serves both (ISTIO_DUAL_STACK). Default: the cluster's.
	IPFamilies []string `json:"ipFamilies,omitempty"`
	// IPFamilyPolicy says how many families there are: SingleStack, PreferDualStack or
	// RequireDualStack. The last two have Istio serve both. Default: SingleStack, or what
	// the Service has already.
	IPFamilyPolicy string `json:"ipFamilyPolicy,omitempty" jsonschema:"enum=SingleStack,enum=PreferDualStack,enum=RequireDualStack"`
}

// The values of Service.IPFamilyPolicy.
const (
	SingleStack      = "SingleStack"
	PreferDualStack  = "PreferDualStack"
	RequireDualStack = "RequireDualStack"
)

// The values of Service.Type.
const (
	ServiceLoadBalancer = "LoadBalancer"
	ServiceNodePort     = "NodePort"
	ServiceClusterIP    = "ClusterIP"
)
