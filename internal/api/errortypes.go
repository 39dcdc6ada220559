package api

// The types of errors that activities end with. Those that trying again cannot
// mend are not retried.
const (
	TypeForbidden     = "Forbidden"     // not retried: the worker lacks a right
	TypeInvalid       = "Invalid"       // not retried: the cluster refuses an object
	TypeUnknownKind   = "UnknownKind"   // not retried: a CRD is missing
	TypeNotOurs       = "NotOurs"       // not retried: somebody else made an object
	TypeKubeconfig    = "Kubeconfig"    // not retried: missing, not allowed or broken
	TypeOtherFleet    = "OtherFleet"    // not retried: the cluster belongs to another fleet
	TypeLocked        = "Locked"        // not retried: another run is changing the cluster
	TypeInventoryGone = "InventoryGone" // not retried: a cleanup ran meanwhile
	TypeChart         = "Chart"         // not retried: the chart cannot be had
	TypeRoot          = "Root"          // not retried: the root is not here, or broken
	TypeDrift         = "Drift"         // not retried: somebody else changed an object
	TypeUnproven      = "Unproven"      // not retried: the link does not carry requests
	TypeDeadEnd       = "DeadEnd"       // not retried: nothing can change any more
	TypeLoadBalancer  = "LoadBalancer"  // not retried: no address within the fleet file's limit
	TypeThrottled     = "Throttled"     // retried when the API server says
	TypeNotReady      = "NotReady"      // retried; it only takes longer
	TypeUnreachable   = "Unreachable"   // retried
	TypeOther         = "Other"         // retried
)
