package serve

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/landbridge/landbridge/internal/kube"
)

// bindManagement adds the options of a management cluster to a command.
func (o *Options) bindManagement(fs *pflag.FlagSet) {
	fs.StringVar(&o.Management.Kubeconfig, "management-kubeconfig", "", "kubeconfig `file` of the management cluster, whose Secrets fleet files may name as kubeconfigs; "+kube.InCluster+" is the account of this worker's own pod")
	fs.StringVar(&o.Management.Context, "management-context", "", "context in that file (default: its current one)")
	fs.StringVar(&o.WatchFleets, "watch-fleets", "", "`namespace` of the management cluster whose Fleet resources this worker reconciles: it begins a rollout when a spec changes, and writes the status (default: none)")
	fs.StringArrayVar(&o.Plugins.Commands, "exec-command", nil, "exec plugin that such a Secret may have this worker run, with the arguments that it must begin with, such as 'aws eks get-token'; may be repeated (default: none)")
	fs.StringVar(&o.providersFile, "access-providers-file", "", "JSON `file` that says which exec plugin gives the credential where a ClusterProfile names a provider (providers[].name and .execConfig, as the cluster inventory API has it)")
	fs.StringArrayVar(&o.Plugins.Env, "exec-env", nil, "environment variable that such a Secret may set for an exec plugin; may be repeated (default: none)")
}

// checkManagement says what is wrong with the options of a management cluster.
func (o *Options) checkManagement() error {
	switch m := o.Management; {
	case !m.Given() && o.WatchFleets != "":
		return errors.New("--watch-fleets: the Fleets are in the management cluster; give --management-kubeconfig, too")
	case o.WatchFleets != "" && len(validation.IsDNS1123Label(o.WatchFleets)) > 0:
		return fmt.Errorf("--watch-fleets: %q is not a namespace", o.WatchFleets)
	case !m.Given() && (m.Context != "" || o.providersFile != "" || len(o.Plugins.Commands)+len(o.Plugins.Env) > 0):
		return errors.New("--management-context, --access-providers-file, --exec-command and --exec-env go with --management-kubeconfig")
	case m.Kubeconfig == kube.InCluster && m.Context != "":
		return errors.New("--management-context: the account of a pod has no contexts")
	case m.Given() && m.Kubeconfig != kube.InCluster:
		if _, err := os.Stat(m.Kubeconfig); err != nil {
			return fmt.Errorf("--management-kubeconfig: %w", err)
		}
	}
	if err := o.readProviders(); err != nil {
		return fmt.Errorf("--access-providers-file: %w", err)
	}
	for _, c := range o.Plugins.Commands {
		if strings.TrimSpace(c) == "" {
			return errors.New("--exec-command: a command needs a name")
		}
	}
	return nil
}

// readProviders reads the file of access providers, where there is one.
func (o *Options) readProviders() error {
	if o.providersFile == "" {
		return nil
	}
	data, err := os.ReadFile(o.providersFile)
	if err != nil {
		return err
	}
	o.Providers, err = kube.ParseAccessProviders(data)
	return err
}
