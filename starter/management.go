package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/redact"
	"github.com/landbridge/landbridge/internal/sources"
)

const (
	// managementTimeout bounds one request to the management cluster.
	managementTimeout = 30 * time.Second
	// longestCause limits how much of an answer an error shows, in bytes.
	longestCause = 300
)

// management holds the management cluster, which init reads with the kubeconfig of its user.
type management struct {
	client dynamic.Interface
	// place names the cluster for people.
	place string
}

// managementError says that the management cluster could not be read, and what to do.
type managementError struct{ sentence string }

func (e *managementError) Error() string { return e.sentence }

// open connects to the management cluster. Nothing is sent yet. The error quotes nothing of a
// credential.
func (s initSource) open() (management, error) {
	rules, place := clientcmd.NewDefaultClientConfigLoadingRules(), kubeconfig{}.place()
	if s.kubeconfig != "" {
		rules, place = &clientcmd.ClientConfigLoadingRules{ExplicitPath: s.kubeconfig}, s.kubeconfig
	}
	raw, err := rules.Load()
	if err != nil { // the cause may quote the file
		return management{}, fmt.Errorf("%s is not a kubeconfig, or cannot be read; name that of the management cluster with --management-kubeconfig", place)
	}
	k := kubeconfig{Path: s.kubeconfig, Config: raw}
	name := cmp.Or(s.context, raw.CurrentContext)
	switch _, known := raw.Contexts[name]; {
	case len(raw.Contexts) == 0:
		return management{}, fmt.Errorf("%s has no contexts; name the kubeconfig of the management cluster with --management-kubeconfig", place)
	case name == "":
		return management{}, fmt.Errorf("%s has no current context: name that of the management cluster with --management-context; it has %s", place, someOf(k.contexts()))
	case !known:
		return management{}, fmt.Errorf("%s has no context %q: name that of the management cluster with --management-context; it has %s", place, name, someOf(slices.Sorted(maps.Keys(raw.Contexts))))
	}
	e := k.open(name)
	if e.Why != "" {
		return management{}, fmt.Errorf("context %q of %s cannot be used: %s; name another with --management-context", name, place, e.Why)
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	var client dynamic.Interface
	if err == nil {
		cfg.Timeout, cfg.UserAgent, cfg.WarningHandler = managementTimeout, program, rest.NoWarnings{}
		client, err = dynamic.NewForConfig(cfg)
	}
	if err != nil {
		return management{}, fmt.Errorf("context %q of %s cannot be used: %s; name another with --management-context", name, place, cause(err))
	}
	return management{client, fmt.Sprintf("the management cluster (%s, context %s)", e.shown(), plain(name))}, nil
}

// explain says what to do where the objects of a source could not be listed.
func (m management) explain(err error, s fleet.ClusterSource) error {
	var refused *sources.ReadError
	var wrong *sources.InvalidError
	var answer apierrors.APIStatus
	switch {
	case errors.As(err, &refused) && apierrors.IsForbidden(refused.Cause):
		return m.unread("denies you to list %s%s (403): ask its administrator for that right, or name another kubeconfig or context (--management-kubeconfig, --management-context)", refused.Kind.Resource, s.Where())
	case errors.As(err, &refused):
		return usage(fmt.Errorf("%s has no %s, which the source %s lists: is it the management cluster? --management-context names another", m.place, refused.Kind.GroupResource(), s.Source))
	case errors.As(err, &wrong):
		return usage(notAFleet(wrong.Problems))
	case apierrors.IsUnauthorized(err):
		return m.unread("does not accept the credentials of that context (401): log in again, or name another one with --management-context")
	case errors.As(err, &answer):
		return m.unread("did not list the objects of the source %s: %s; try again", s, cause(below(err)))
	}
	return m.unread("cannot be reached: %s; try again, or name another kubeconfig or context (--management-kubeconfig, --management-context)", cause(below(err)))
}

// unread returns the error of a management cluster that could not be read.
func (m management) unread(format string, args ...any) error {
	return failed(&managementError{m.place + " " + fmt.Sprintf(format, args...)})
}

// below returns the error that another one was made around: what it was about is said already.
func below(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// cause returns what went wrong, as one line without secrets.
func cause(err error) string {
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	return fleet.Brief(fleet.OneLine(redact.Secrets(err.Error())), longestCause)
}
