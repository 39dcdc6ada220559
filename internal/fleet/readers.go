package fleet

import (
	"fmt"
	"slices"
)

// Reader names what one source reads a target with, in the target: its service account, the
// roles of that account and their bindings. The target's audit log names the source by it.
func Reader(source string) string { return "landbridge-reader-" + source }

// RemoteCredentials is the setting of istiod, from 1.31 on, that has it read the Secrets of the
// clusters that it reads, for the certificates of their gateways. Istio's default is true.
const RemoteCredentials = "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER"

// withoutSecrets is the first version of Istio that knows the setting, and the only one known to
// end with a panic where it is false: at the first remote secret, and after each restart.
var withoutSecrets = IstioVersion{Major: 1, Minor: 31}

// ReadsSecrets says why an Istio, as a source, has to read every Secret of its targets, or
// returns "". The version is the real one, which an alias may hide.
func (i Istio) ReadsSecrets(version string) string {
	v, known := ParseIstioVersion(version)
	switch {
	case !i.Managed():
		return "its Istio is an existing one"
	case !i.remoteCredentialsOff():
		return "Istio's default"
	case !known || v.Compare(withoutSecrets) < 0:
		return fmt.Sprintf("Istio %s does not know %s", version, RemoteCredentials)
	}
	return ""
}

// OwnReaders says whether a cluster, as a source, is told to do without the Secrets of its
// targets, whatever its version makes of that. It then has roles of its own in them.
func (f *Fleet) OwnReaders() bool {
	return slices.ContainsFunc(f.Spec.Clusters, func(c Cluster) bool { return f.Settings(c).Istio.MayReadWithoutSecrets() })
}

// MayReadWithoutSecrets says that of one of them.
func (i Istio) MayReadWithoutSecrets() bool { return i.Managed() && i.remoteCredentialsOff() }

// CannotDoWithoutSecrets says why istiod of a version would not run with the values of the fleet
// file, or returns "".
func (i Istio) CannotDoWithoutSecrets(version string) string {
	v, known := ParseIstioVersion(version)
	if !i.MayReadWithoutSecrets() || !known || v != withoutSecrets {
		return ""
	}
	return fmt.Sprintf("istiod %s ends with a panic at its first remote secret where %s is false (spec.istio.values.pilot.env); take the setting out, or roll out another version", version, RemoteCredentials)
}

// remoteCredentialsOff says whether the values of the fleet file have istiod do without the
// Secrets of other clusters.
func (i Istio) remoteCredentialsOff() bool {
	pilot, _ := i.Values["pilot"].(map[string]any)
	env, _ := pilot["env"].(map[string]any)
	set, given := env[RemoteCredentials]
	return given && fmt.Sprint(set) == "false"
}
