package serve

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"filippo.io/age"
	"github.com/spf13/pflag"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/listen"
	"github.com/landbridge/landbridge/internal/notify"
)

// DefaultListen serves the health and metrics of landbridge-worker to this machine.
const DefaultListen = "127.0.0.1:9464"

// Options say what a worker serves and what it may use.
type Options struct {
	TaskQueues     []string
	KubeconfigDirs []string
	DefaultConfig  bool
	// Management leads to the cluster whose Secrets fleet files may name, and Plugins says
	// what these may have the worker run.
	Management kube.Management
	Plugins    kube.Plugins
	// WatchFleets names the namespace of the management cluster whose Fleets are reconciled.
	WatchFleets string
	// Providers gives the credentials for ClusterProfiles, from providersFile.
	Providers     []kube.AccessProvider
	providersFile string
	RootDir       string
	// RootIdentityFile names the file of RootIdentity.
	RootIdentityFile string
	// RootIdentity opens sealed roots. Complete reads it.
	RootIdentity *age.X25519Identity
	NoRoot       bool
	// CFSSLKeyFile names the file of CFSSLKeys.
	CFSSLKeyFile string
	// CFSSLKeys proves to cfssl servers who asks. Complete reads it.
	CFSSLKeys certs.CFSSLKeys
	// NotifyFile names the file of Channels.
	NotifyFile string
	// Channels holds the webhooks that hear of runs. Complete reads it.
	Channels notify.Channels
	// RootExport lets roots leave their place.
	RootExport bool
	// Unseen names the clusters whose keys and CSRs are taken unseen.
	Unseen []string
	// EncryptedOnly refuses inputs that nobody encrypted.
	EncryptedOnly bool
	ChartDir      string
	// Parallel bounds how many activities run at once on each task queue.
	Parallel int
	// Deployment and BuildID put the worker under Temporal's worker versioning: a run
	// stays with the build that it began under. Without a Deployment any worker goes
	// on with any run, and BuildID is only shown.
	Deployment, BuildID string
	// Listen names the host:port of health and metrics; empty serves neither.
	Listen string
	// Logging says how the program logs.
	Logging
}

// Bind adds the options to a command. listen is the default of --listen.
func (o *Options) Bind(fs *pflag.FlagSet, listen string) {
	fs.StringArrayVar(&o.TaskQueues, "task-queue", []string{fleet.DefaultTaskQueue}, "task queue to serve; may be repeated")
	fs.StringArrayVar(&o.KubeconfigDirs, "kubeconfig-dir", nil, "directory with kubeconfigs that fleet files may name; may be repeated")
	fs.BoolVar(&o.DefaultConfig, "default-kubeconfig", false, "let fleet files name contexts of the default kubeconfig ($KUBECONFIG, or ~/.kube/config)")
	o.bindManagement(fs)
	fs.StringVar(&o.RootDir, "root-dir", "", "directory that keeps root CAs "+StateDirHelp(rootsDir))
	fs.BoolVar(&o.NoRoot, "no-root", false, "keep no roots: this worker serves clusters only")
	fs.StringVar(&o.RootIdentityFile, "root-identity-file", "", "file with the age identity that opens roots which fleet files keep sealed (spec.ca.root.sealed); age-keygen makes one")
	fs.StringVar(&o.CFSSLKeyFile, "cfssl-auth-key-file", "", "file with the keys of the cfssl servers that fleet files may name as issuers (spec.ca.issuer.cfssl): lines of URL and KEY")
	fs.StringVar(&o.NotifyFile, "notify-file", "", "file with the webhooks that fleet files may name as channels (spec.notifications): CHANNEL: {url, format, key}")
	fs.BoolVar(&o.RootExport, "root-export", false, "let roots leave their place (landbridge ca export, ca move); leave it out again afterwards")
	fs.StringArrayVar(&o.Unseen, "unseen", nil, "cluster `name` that this worker has no kubeconfig of, and whose sealing key and CSR it takes without seeing them there; may be repeated")
	fs.BoolVar(&o.EncryptedOnly, "encrypted-only", false, "take only what is encrypted with a key of the key file: whoever has none can start nothing here")
	fs.StringVar(&o.ChartDir, "chart-dir", "", "directory below which fleet files may name chart directories")
	fs.StringVar(&o.Deployment, "deployment", "", "worker deployment of Temporal that this worker belongs to: runs stay with the build they began under")
	fs.StringVar(&o.BuildID, "build-id", build.Version(), "name of this build in Temporal's list of workers and, with --deployment, for worker versioning")
	fs.IntVar(&o.Parallel, "parallel", 50, "how many activities of a task queue run at once in this worker; a wait that takes more than a minute gives its place back between short looks")
	fs.StringVar(&o.Listen, "listen", listen, "host:port where health and metrics are served (/healthz, /readyz, /metrics); '' for nowhere")
	o.Logging.Bind(fs)
}

// rootsDir names the state directory of root CAs.
const rootsDir = "roots"

// Complete fills in what depends on the machine, and says what is wrong.
func (o *Options) Complete() error {
	for _, check := range []func() error{o.Logging.Complete, o.checkTaskQueues, o.checkDirs, o.checkManagement, o.checkNumbers, o.completeRootDir, o.readRootIdentity, o.readCFSSLKeys, o.readChannels} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkTaskQueues() error {
	if len(o.KubeconfigDirs) == 0 && !o.DefaultConfig && !o.Management.Given() && o.NoRoot {
		return errors.New("this worker could do nothing: give --kubeconfig-dir, --default-kubeconfig or --management-kubeconfig, or leave out --no-root")
	}
	for i, q := range o.TaskQueues {
		if q == "" {
			return errors.New("--task-queue: a task queue needs a name")
		}
		if slices.Contains(o.TaskQueues[:i], q) {
			return fmt.Errorf("--task-queue: %q is given twice: leave one out", q)
		}
	}
	return nil
}

func (o *Options) checkDirs() error {
	for _, d := range o.KubeconfigDirs {
		if err := checkDir("--kubeconfig-dir", d); err != nil {
			return err
		}
	}
	if o.ChartDir != "" {
		return checkDir("--chart-dir", o.ChartDir)
	}
	return nil
}

func (o *Options) checkNumbers() error {
	if o.Parallel < 1 {
		return fmt.Errorf("--parallel: want at least 1, got %d", o.Parallel)
	}
	if o.BuildID == "" {
		return errors.New("--build-id: a build needs a name; leave the flag out for the version of this program")
	}
	if o.Deployment != "" && o.BuildID == build.Unknown {
		return errors.New("--deployment: this build has no version of its own, and Temporal could not tell it from another: give it one with --build-id")
	}
	if o.Listen != "" {
		return listen.CheckAddress("--listen", o.Listen)
	}
	return nil
}

func (o *Options) completeRootDir() (err error) {
	if o.NoRoot {
		if o.RootDir != "" {
			return errors.New("--root-dir and --no-root contradict each other: leave one out")
		}
		return nil
	}
	if o.RootDir == "" {
		if o.RootDir, err = StateDir(rootsDir); err != nil {
			return err
		}
	}
	return CheckStateDir("--root-dir", o.RootDir)
}

// readRootIdentity reads the identity that opens sealed roots.
func (o *Options) readRootIdentity() error {
	if o.RootIdentityFile == "" {
		return nil
	}
	f, err := os.Open(o.RootIdentityFile)
	if err != nil {
		return fmt.Errorf("--root-identity-file: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err == nil && len(ids) == 1 {
		if id, ok := ids[0].(*age.X25519Identity); ok {
			o.RootIdentity = id
			return nil
		}
	}
	// The cause may quote what it could not parse.
	return fmt.Errorf("--root-identity-file: want one age identity (AGE-SECRET-KEY-1…) in %s; `age-keygen -o %s` makes one", o.RootIdentityFile, o.RootIdentityFile)
}

// readCFSSLKeys reads the keys of the cfssl servers that this worker may ask.
func (o *Options) readCFSSLKeys() (err error) {
	o.CFSSLKeys, err = readPrivate("--cfssl-auth-key-file", o.CFSSLKeyFile, certs.ParseCFSSLKeys)
	return err
}

// readChannels reads the webhooks that hear of runs.
func (o *Options) readChannels() (err error) {
	o.Channels, err = readPrivate("--notify-file", o.NotifyFile, notify.Parse)
	return err
}

// readPrivate reads the file of a flag, which nobody else may read. Without one there is nothing.
func readPrivate[T any](flag, file string, parse func([]byte) (T, error)) (out T, err error) {
	if file == "" {
		return out, nil
	}
	text, err := codec.ReadPrivate(file)
	if err != nil {
		return out, fmt.Errorf("%s: %w", flag, err)
	}
	if out, err = parse(text); err != nil {
		return out, fmt.Errorf("%s: %s: %w", flag, file, err)
	}
	return out, nil
}
