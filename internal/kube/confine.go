package kube

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Plugins limits which exec plugins a Secret may have the worker run. Whoever writes such a
// Secret is not whoever runs the worker, so that none may be run unless the worker says so.
type Plugins struct {
	// Commands lists those that may be run, each with the arguments that it must begin with,
	// such as "aws eks get-token".
	Commands []string
	// Env lists the environment variables that a Secret may set for them.
	Env []string
}

// confine refuses what a Secret's kubeconfig must not have the worker do: read files of its
// own, run what nobody allowed, or send a credential to a server that it cannot tell from
// another. It looks at what the context leads to, and knows nothing of the rest.
func (a Access) confine(raw *clientcmdapi.Config, context string) error {
	if context == "" {
		context = raw.CurrentContext
	}
	at, ok := raw.Contexts[context]
	if !ok || at == nil {
		return fmt.Errorf("has no context %q", context)
	}
	c, u := raw.Clusters[at.Cluster], raw.AuthInfos[at.AuthInfo]
	if c == nil || u == nil {
		return fmt.Errorf("has a context %q without a cluster or a user", context)
	}
	if err := confineCluster(c); err != nil {
		return err
	}
	switch {
	case u.ClientCertificate != "" || u.ClientKey != "" || u.TokenFile != "":
		return errors.New("names files of the worker as credentials; what a Secret says of a credential must be in the Secret")
	case u.AuthProvider != nil:
		return fmt.Errorf("has the auth provider %q, which Kubernetes does not know any more", u.AuthProvider.Name)
	case u.Exec != nil:
		return a.Plugins.allow(u.Exec)
	}
	return nil
}

func confineCluster(c *clientcmdapi.Cluster) error {
	server, err := url.Parse(c.Server)
	switch {
	case err != nil || server.Scheme != "https" || server.Host == "":
		return errors.New("has a server that is no https:// address")
	case c.InsecureSkipTLSVerify:
		return errors.New("wants the API server's certificate unchecked (insecure), and anybody could take its place: give the Secret its CA")
	case c.CertificateAuthority != "":
		return errors.New("names a file of the worker as CA; what a Secret says of a CA must be in the Secret")
	}
	return nil
}

// allow refuses an exec plugin that the worker was not told to run for a Secret.
func (p Plugins) allow(e *clientcmdapi.ExecConfig) error {
	line := append([]string{e.Command}, e.Args...)
	if !slices.ContainsFunc(p.Commands, func(allowed string) bool {
		words := strings.Fields(allowed)
		return len(words) > 0 && len(words) <= len(line) && slices.Equal(words, line[:len(words)])
	}) {
		// Its arguments may hold secrets.
		return fmt.Errorf("runs the exec plugin %q with arguments that this worker was not told to run for a Secret; start it with --exec-command %q, and the arguments that it must begin with", e.Command, e.Command)
	}
	for _, v := range e.Env {
		if !slices.Contains(p.Env, v.Name) {
			return fmt.Errorf("sets the environment variable %q of the exec plugin %q; start the worker with --exec-env %s where it may", v.Name, e.Command, v.Name)
		}
	}
	return nil
}
