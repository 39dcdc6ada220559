package kube_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// hub holds a management cluster, and a member that its Secrets lead to.
type hub struct {
	t               *testing.T
	cluster, member *kubetest.Cluster
	server, west    *kubetest.Server
	access          kube.Access
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{t: t, cluster: kubetest.New("hub"), member: kubetest.New("west", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "here"}})}
	h.server, h.west = kubetest.Listen(t, h.cluster), kubetest.Listen(t, h.member)
	file := filepath.Join(t.TempDir(), "hub.kubeconfig")
	require.NoError(t, os.WriteFile(file, h.server.Kubeconfig(), 0o600))
	h.access = kube.Access{Management: kube.Management{Kubeconfig: file}}
	return h
}

// keeps writes a Secret into the management cluster.
func (h *hub) keeps(name string, data map[string]string) {
	s := &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: name}, Data: map[string][]byte{}}
	for k, v := range data {
		s.Data[k] = []byte(v)
	}
	h.cluster.Put(s)
}

// keepsArgo writes a cluster Secret of Argo CD for the member.
func (h *hub) keepsArgo(config map[string]any) {
	text, err := json.Marshal(config)
	require.NoError(h.t, err)
	h.keeps("west", map[string]string{"name": "west", "server": h.west.URL, "config": string(text)})
}

func (h *hub) tls(more map[string]any) map[string]any {
	out := map[string]any{"caData": base64.StdEncoding.EncodeToString(h.west.CA())}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func (h *hub) open(format string) (*kube.Cluster, error) {
	ref := fleet.KubeconfigSecret{Namespace: "clusters", Name: "west", Format: format}
	if format == fleet.FormatKubeconfig {
		ref.Key = "value"
	}
	return h.access.Open(h.t.Context(), "west", fleet.Kubeconfig{Secret: ref})
}

// reads sees that the member answers.
func (h *hub) reads(c *kube.Cluster) error {
	_, err := c.Client.CoreV1().Namespaces().Get(h.t.Context(), "here", metav1.GetOptions{})
	return err
}

func TestSecret_EachFormat_LeadsToTheCluster(t *testing.T) {
	h := newHub(t)
	h.keeps("west", map[string]string{"value": string(h.west.Kubeconfig())})
	c, err := h.open(fleet.FormatKubeconfig)
	require.NoError(t, err)
	require.NoError(t, h.reads(c))

	h.keepsArgo(map[string]any{"bearerToken": "kubetest", "tlsClientConfig": h.tls(nil)})
	c, err = h.open(fleet.FormatArgoCD)
	require.NoError(t, err)
	require.NoError(t, h.reads(c))
	for _, r := range h.server.Requests() {
		require.Equal(t, kubetest.Request{Verb: "get", Resource: "secrets", Namespace: "clusters"}, r, "the management cluster is asked for nothing else")
	}
}

// The Secret is read again after a 401, within the same step: its controller rotates it.
func TestSecret_Rotated_IsReadAgain(t *testing.T) {
	h := newHub(t)
	h.keepsArgo(map[string]any{"bearerToken": "old", "tlsClientConfig": h.tls(nil)})
	c, err := h.open(fleet.FormatArgoCD)
	require.NoError(t, err)
	require.True(t, apierrors.IsUnauthorized(h.reads(c)), "nobody knows the old one")
	h.keepsArgo(map[string]any{"bearerToken": "kubetest", "tlsClientConfig": h.tls(nil)})
	require.NoError(t, h.reads(c), "the same clients")
}

// What a Secret may not have a worker do, and what is no kubeconfig at all: one sentence each,
// which names the Secret and shows nothing of it.
func TestSecret_ThatCannotBeUsed_SaysWhy(t *testing.T) {
	h := newHub(t)
	kubeconfig := func(change func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo)) string {
		raw, err := clientcmd.Load(h.west.Kubeconfig())
		require.NoError(t, err)
		raw.AuthInfos["u"].Token = "very-secret"
		change(raw.Clusters["c"], raw.AuthInfos["u"])
		data, err := clientcmd.Write(*raw)
		require.NoError(t, err)
		return string(data)
	}
	exec := map[string]any{"command": "aws", "args": []string{"eks", "get-token", "very-secret"}}
	for name, c := range map[string]struct {
		kubeconfig string
		argo       map[string]any
		want       string
	}{
		"no key":          {want: `has no key "value"`},
		"no kubeconfig":   {kubeconfig: "token: very-secret: [", want: "has no kubeconfig with a cluster in it under the key \"value\""},
		"empty":           {kubeconfig: " ", want: "has no kubeconfig with a cluster in it"},
		"a file as token": {kubeconfig: kubeconfig(func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.TokenFile = "/etc/passwd" }), want: "names files of the worker as credentials"},
		"a file as key":   {kubeconfig: kubeconfig(func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.ClientKey = "/etc/key" }), want: "names files of the worker as credentials"},
		"a file as CA":    {kubeconfig: kubeconfig(func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.CertificateAuthority = "/etc/ca" }), want: "names a file of the worker as CA"},
		"any server":      {kubeconfig: kubeconfig(func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.InsecureSkipTLSVerify = true }), want: "certificate unchecked (insecure)"},
		"no TLS":          {kubeconfig: kubeconfig(func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.Server = "http://127.0.0.1" }), want: "no https:// address"},
		"a provider of before": {kubeconfig: kubeconfig(func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "gcp"}
		}), want: `the auth provider "gcp"`},
		"a plugin": {kubeconfig: kubeconfig(func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.Exec = &clientcmdapi.ExecConfig{Command: "sh", Args: []string{"-c", "very-secret"}, APIVersion: "client.authentication.k8s.io/v1"}
		}), want: `runs the exec plugin "sh" with arguments that this worker was not told to run for a Secret; start it with --exec-command "sh"`},
		"no JSON":                {argo: map[string]any{"bearerToken": 7}, want: `has a key "config" that is not the JSON of Argo CD`},
		"no credential":          {argo: map[string]any{"tlsClientConfig": map[string]any{}}, want: `has no credential under the key "config"`},
		"any server in Argo":     {argo: map[string]any{"bearerToken": "very-secret", "tlsClientConfig": map[string]any{"insecure": true}}, want: "certificate unchecked (insecure)"},
		"a plugin in Argo":       {argo: map[string]any{"execProviderConfig": exec}, want: `runs the exec plugin "aws"`},
		"AWS in Argo":            {argo: map[string]any{"awsAuthConfig": map[string]any{"clusterName": "very-secret"}}, want: `runs the exec plugin "aws"`},
		"a key without its pair": {argo: map[string]any{"tlsClientConfig": map[string]any{"certData": "dmVyeS1zZWNyZXQ="}}, want: "kubeconfig in Secret clusters/west cannot be used: "},
	} {
		format := fleet.FormatKubeconfig
		switch {
		case c.argo != nil:
			format = fleet.FormatArgoCD
			h.keepsArgo(c.argo)
		case c.kubeconfig != "":
			h.keeps("west", map[string]string{"value": c.kubeconfig})
		default:
			h.keeps("west", map[string]string{"other": "very-secret"})
		}
		_, err := h.open(format)
		var bad *kube.KubeconfigError
		require.ErrorAs(t, err, &bad, name)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "very-secret", name)
		require.NotContains(t, err.Error(), "dmVyeS1zZWNyZXQ", name)
	}
	h.keeps("west", map[string]string{"value": string(h.west.Kubeconfig())})
	_, err := h.open(fleet.FormatArgoCD)
	require.EqualError(t, err, `Secret clusters/west has no key "server"; a cluster Secret of Argo CD has the keys name, server and config`)
}

// A worker runs what a Secret names only where it was told to, with the arguments and the
// environment that it was told.
func TestSecret_Plugin_RunsOnlyWhatTheWorkerWasTold(t *testing.T) {
	h := newHub(t)
	login := filepath.Join(t.TempDir(), "login")
	require.NoError(t, os.WriteFile(login, []byte("#!/bin/sh\n"+`printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}' "$TOKEN"`+"\n"), 0o700))
	h.keepsArgo(map[string]any{"tlsClientConfig": h.tls(nil), "execProviderConfig": map[string]any{"command": login, "args": []string{"get", "token"}, "env": map[string]string{"TOKEN": "kubetest"}}})
	for name, c := range map[string]struct {
		commands, env []string
		want          string
	}{
		"told":                     {[]string{"other", login + " get"}, []string{"TOKEN"}, ""},
		"told with all arguments":  {[]string{login + " get token"}, []string{"TOKEN"}, ""},
		"told any arguments":       {[]string{login}, []string{"TOKEN"}, ""},
		"another argument":         {[]string{login + " put"}, []string{"TOKEN"}, "runs the exec plugin"},
		"more arguments":           {[]string{login + " get token west"}, []string{"TOKEN"}, "runs the exec plugin"},
		"a program of that name":   {[]string{"login"}, []string{"TOKEN"}, "runs the exec plugin"},
		"not told the environment": {[]string{login}, nil, `sets the environment variable "TOKEN"`},
	} {
		h.access.Plugins = kube.Plugins{Commands: c.commands, Env: c.env}
		west, err := h.open(fleet.FormatArgoCD)
		if c.want != "" {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.NoError(t, err, name)
		require.NoError(t, h.reads(west), name)
	}
}

// What the management cluster answers is never taken for an answer of the member: there "not
// found" means that something is gone.
func TestSecret_ManagementCluster_DoesNotGiveIt(t *testing.T) {
	h := newHub(t)
	var bad *kube.KubeconfigError
	_, err := h.open(fleet.FormatKubeconfig)
	require.EqualError(t, err, "Secret clusters/west is not in the management cluster")
	require.ErrorAs(t, err, &bad)
	require.False(t, apierrors.IsNotFound(err))

	h.cluster.React("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(kinds.Secrets.GroupResource(), "west", fmt.Errorf("no"))
	})
	_, err = h.open(fleet.FormatKubeconfig)
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "denies the worker to get Secrets in namespace clusters (403); `landbridge rbac --management` prints the role")

	h.server.Close()
	_, err = h.open(fleet.FormatKubeconfig)
	require.NotErrorAs(t, err, &bad, "it may answer at the next try")
	require.ErrorContains(t, err, "read Secret clusters/west in the management cluster: ")

	for want, m := range map[string]kube.Management{
		"this worker was started without --management-kubeconfig": {},
		"is no kubeconfig that can be used":                       {Kubeconfig: h.access.Management.Kubeconfig, Context: "other"},
		"this worker runs in no pod with a service account":       {Kubeconfig: kube.InCluster},
	} {
		h.access.Management = m
		_, err := h.open(fleet.FormatKubeconfig)
		require.ErrorAs(t, err, &bad, want)
		require.ErrorContains(t, err, want)
	}
}
