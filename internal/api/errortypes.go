package api

// The types of errors that activities end with. ErrorTypes tells what each means.
const (
	TypeForbidden     = "Forbidden"
	TypeUnauthorized  = "Unauthorized"
	TypeInvalid       = "Invalid"
	TypeUnknownKind   = "UnknownKind"
	TypeNotOurs       = "NotOurs"
	TypeKubeconfig    = "Kubeconfig"
	TypeOtherFleet    = "OtherFleet"
	TypeOtherMember   = "OtherMember"
	TypeLocked        = "Locked"
	TypeInventoryGone = "InventoryGone"
	TypeChart         = "Chart"
	TypeRoot          = "Root"
	TypeDrift         = "Drift"
	TypeUnproven      = "Unproven"
	TypeDeadEnd       = "DeadEnd"
	TypeLoadBalancer  = "LoadBalancer"
	TypeOutdated      = "Outdated"
	TypeThrottled     = "Throttled"
	TypeNotReady      = "NotReady"
	TypeUnreachable   = "Unreachable"
	TypeOther         = "Other"
)

// ErrorType describes a type of error that activities end with.
type ErrorType struct {
	Name string
	// Retried says that the activity is tried again, until its step's time is up.
	Retried bool
	// Meaning tells when the error comes and, where that is not plain, what to do.
	Meaning string
}

var errorTypes = []ErrorType{
	{TypeForbidden, false, "the worker lacks a right"},
	{TypeUnauthorized, false, "the API server does not accept the kubeconfig's credential, twice in a row; renew it"},
	{TypeInvalid, false, "the cluster refuses an object: a quota, a webhook or a policy does, or it has a field that the cluster does not know"},
	{TypeUnknownKind, false, "the cluster lacks a CRD"},
	{TypeNotOurs, false, "somebody else made an object of that name; rename or remove it"},
	{TypeKubeconfig, false, "the kubeconfig or its exec plugin is missing or broken, or the worker may not use it"},
	{TypeOtherFleet, false, "the cluster belongs to another fleet; clean that fleet up first"},
	{TypeOtherMember, false, "the cluster is another member of the fleet than the fleet file says; give each name its own kubeconfig again"},
	{TypeLocked, false, "a run of another Temporal is changing the cluster; wait, or use --take-over if that run is dead"},
	{TypeInventoryGone, false, "a cleanup removed the inventory while the run was at work; roll out again"},
	{TypeChart, false, "the gateway chart is missing or broken, or does not take the values of the fleet file"},
	{TypeRoot, false, "the root is missing or broken"},
	{TypeDrift, false, "somebody else changed an object; change the fleet file, or use --force-conflicts"},
	{TypeUnproven, false, "the link carries no requests; the message names the hop"},
	{TypeDeadEnd, false, "what the step waits for cannot happen any more"},
	{TypeLoadBalancer, false, "the cloud gave no address within loadBalancerTimeout"},
	{TypeOutdated, true, "the worker is older than what asked it, and would misread the input; upgrade it"},
	{TypeThrottled, true, "the API server asks to slow down"},
	{TypeNotReady, true, "something takes longer"},
	{TypeUnreachable, true, "the API server does not answer, or the exec plugin that has its credential"},
	{TypeOther, true, "anything else"},
}

// ErrorTypes lists the types of errors that activities end with, those that are
// never retried first.
func ErrorTypes() []ErrorType { return append([]ErrorType{}, errorTypes...) }

// Retried tells whether Temporal tries an activity again that ended with this type of
// error. It does so for a type that ErrorTypes does not list.
func Retried(errorType string) bool {
	for _, t := range errorTypes {
		if t.Name == errorType {
			return t.Retried
		}
	}
	return true
}
