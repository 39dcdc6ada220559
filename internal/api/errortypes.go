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
	TypeUntrusted     = "Untrusted"
	TypeLocked        = "Locked"
	TypeInventoryGone = "InventoryGone"
	TypeChart         = "Chart"
	TypeRoot          = "Root"
	TypeIssuer        = "Issuer"
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

// Retry tells how long Temporal tries an activity again.
type Retry string

// The values of Retry, as the reference has them.
const (
	RetriedNever Retry = "no"
	// RetriedAMinute is for what a cluster denies: a credential or a role that is being
	// changed, or an API server that starts, denies for seconds what it allows otherwise.
	// A look at a cluster does not wait for that.
	RetriedAMinute Retry = "for a minute"
	RetriedAlways  Retry = "yes"
)

// ErrorType describes a type of error that activities end with.
type ErrorType struct {
	Name string
	// Retried says whether the activity is tried again: always means until its step's time
	// is up.
	Retried Retry
	// Meaning tells when the error comes and, where that is not plain, what to do.
	Meaning string
}

var errorTypes = []ErrorType{
	{TypeForbidden, RetriedAMinute, "the worker lacks a right"},
	{TypeUnauthorized, RetriedAMinute, "the API server does not accept the kubeconfig's credential; renew it"},
	{TypeInvalid, RetriedNever, "the cluster refuses an object: a quota, a webhook or a policy does, or it has a field that the cluster does not know. Of a notification: its webhook refuses it, or the workers do not know the channel"},
	{TypeUnknownKind, RetriedNever, "the cluster lacks a CRD"},
	{TypeNotOurs, RetriedNever, "somebody else made an object of that name; rename or remove it"},
	{TypeKubeconfig, RetriedNever, "the kubeconfig or its exec plugin is missing or broken, or the worker may not use it"},
	{TypeOtherFleet, RetriedNever, "the cluster belongs to another fleet; clean that fleet up first"},
	{TypeOtherMember, RetriedNever, "the cluster is another member of the fleet than the fleet file says; give each name its own kubeconfig again"},
	{TypeUntrusted, RetriedNever, "what was asked names a sealing key, a CSR, a root or a cluster that is not the member's own, or the worker cannot see whether it is; nobody gets a token or a certificate. The message tells what to do where it was no attack"},
	{TypeLocked, RetriedNever, "a run of another Temporal is changing the cluster; wait, or use --take-over if that run is dead"},
	{TypeInventoryGone, RetriedNever, "a cleanup removed the inventory while the run was at work; roll out again"},
	{TypeChart, RetriedNever, "the gateway chart is missing or broken, or does not take the values of the fleet file"},
	{TypeRoot, RetriedNever, "the root is missing or broken"},
	{TypeIssuer, RetriedNever, "the issuer of the intermediates refuses to sign, or what it signed cannot be used"},
	{TypeDrift, RetriedNever, "somebody else changed an object; change the fleet file, or use --force-conflicts"},
	{TypeUnproven, RetriedNever, "the link carries no requests; the message names the hop"},
	{TypeDeadEnd, RetriedNever, "what the step waits for cannot happen any more"},
	{TypeLoadBalancer, RetriedNever, "the cloud gave no address within loadBalancerTimeout"},
	{TypeOutdated, RetriedAlways, "the worker is older than what asked it, and would misread the input; upgrade it"},
	{TypeThrottled, RetriedAlways, "the API server asks to slow down"},
	{TypeNotReady, RetriedAlways, "something takes longer"},
	{TypeUnreachable, RetriedAlways, "the API server does not answer, or the exec plugin that has its credential; or a notification's webhook does not"},
	{TypeOther, RetriedAlways, "anything else"},
}

// ErrorTypes lists the types of errors that activities end with, those that are
// final sooner first.
func ErrorTypes() []ErrorType { return append([]ErrorType{}, errorTypes...) }

// RetryOf tells how long Temporal tries an activity again that ended with this type of
// error. It does so for a type that ErrorTypes does not list.
func RetryOf(errorType string) Retry {
	for _, t := range errorTypes {
		if t.Name == errorType {
			return t.Retried
		}
	}
	return RetriedAlways
}
