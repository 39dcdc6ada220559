package api

// The types of errors that steps end with. docs/generated/reference.md shows the
// comments.
const (
	TypeForbidden     = "Forbidden"     // not retried: the worker lacks a right
	TypeInvalid       = "Invalid"       // not retried: the cluster refuses an object, by an admission policy or for a field that it does not know
	TypeUnknownKind   = "UnknownKind"   // not retried: the cluster lacks a CRD
	TypeNotOurs       = "NotOurs"       // not retried: somebody else made an object of that name
	TypeKubeconfig    = "Kubeconfig"    // not retried: the kubeconfig is missing, broken, or not one that the worker may use
	TypeOtherFleet    = "OtherFleet"    // not retried: the cluster belongs to another fleet
	TypeLocked        = "Locked"        // not retried: a run of another Temporal is changing the cluster; wait, or use --take-over if that run is dead
	TypeInventoryGone = "InventoryGone" // not retried: a cleanup removed the inventory meanwhile; roll out again
	TypeChart         = "Chart"         // not retried: the gateway chart is missing or broken
	TypeRoot          = "Root"          // not retried: the root is missing or broken
	TypeDrift         = "Drift"         // not retried: somebody else changed an object; change the fleet file, or use --force-conflicts
	TypeUnproven      = "Unproven"      // not retried: the link carries no requests; the message names the hop
	TypeDeadEnd       = "DeadEnd"       // not retried: what the step waits for cannot happen any more
	TypeLoadBalancer  = "LoadBalancer"  // not retried: the cloud gave no address within loadBalancerTimeout
	TypeThrottled     = "Throttled"     // retried: the API server asks to slow down
	TypeNotReady      = "NotReady"      // retried: something takes longer
	TypeUnreachable   = "Unreachable"   // retried: the API server does not answer
	TypeOther         = "Other"         // retried: anything else
)
