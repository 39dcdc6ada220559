package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// pace sends requests from the source's node through its egress gateway to the target's API
// server, as the remote secret says, until the returned function is called.
func (r *real) pace(source, target string) (stop func() string) {
	way, err := r.way(source, target)
	require.NoError(r.t, err)
	file := filepath.Join(r.dir, "way")
	require.NoError(r.t, os.WriteFile(file, []byte(way), 0o600))
	// A node is no istiod, and the gateway's pods on the other node would not let it in.
	const policies = "/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies"
	r.create(source, policies+"\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: pace}\nspec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [kube-apiserver-"+target+
		"-egress-gateway, kube-apiservers-egress-gateway]}]}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}, {port: 20001, endPort: 20500}]}]}\n")
	time.Sleep(2 * time.Second) // until it is enforced
	cmd := r.lab.InNode(context.Background(), source, bin("lab"), "pace", file, "/api/v1/namespaces?limit=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	stdin, err := cmd.StdinPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, cmd.Start())
	follows := r.repeat(func(context.Context) {
		if way, err := r.way(source, target); err == nil {
			_ = os.WriteFile(file+".new", []byte(way), 0o600)
			_ = os.Rename(file+".new", file)
		}
		time.Sleep(100 * time.Millisecond)
	})
	ended := sync.OnceValue(func() error {
		follows()
		r.patch(source, policies+"/pace", "")
		return errors.Join(stdin.Close(), cmd.Wait())
	})
	r.t.Cleanup(func() { _ = ended() }) // a part that fails leaves nothing to the next
	return func() string {
		require.NoError(r.t, ended(), out.String())
		return out.String()
	}
}

// remote reads a remote secret: the way to the target that its source's istiod takes.
func (r *real) remote(source, target string) (*rest.Config, error) {
	s, err := r.connect(source).CoreV1().Secrets("istio-system").Get(context.Background(), "istio-remote-secret-"+target, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return clientcmd.RESTConfigFromKubeConfig(s.Data[target])
}

// way writes what pace needs of a remote secret: the address of the Service to which it leads, the
// server name and the token.
func (r *real) way(source, target string) (string, error) {
	way, err := r.remote(source, target)
	if err != nil {
		return "", err
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(way.Host, "https://"), ".")
	svc, err := r.connect(source).CoreV1().Services("istio-system").Get(context.Background(), service, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return svc.Spec.ClusterIP + ":443 " + way.ServerName + " " + way.BearerToken, nil
}

// repeat calls a function again and again until the returned one is called.
func (r *real) repeat(does func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			does(ctx)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	r.t.Cleanup(stop)
	return stop
}

// apps lets east's app call west's again and again, one call after the other, until the
// returned function is called, which requires that so many failed at most.
func (r *real) apps() (stop func(most int64)) {
	var calls, failed atomic.Int64
	ended := r.repeat(func(context.Context) {
		calls.Add(1)
		if out, err := r.callApp("client"); err != nil {
			failed.Add(1)
			r.t.Log("app call:", err, out)
		}
	})
	return func(most int64) {
		ended()
		r.t.Logf("app calls: %d of %d failed", failed.Load(), calls.Load())
		require.LessOrEqual(r.t, failed.Load(), most, "calls between the apps")
		require.Positive(r.t, calls.Load())
	}
}

// fewFailed requires of what pace printed that its requests went on, and that they failed in
// so many moments at most.
func (r *real) fewFailed(out string, most int) {
	r.t.Helper()
	r.t.Logf("through the tunnel meanwhile:\n%s", out)
	for _, kind := range []string{"kept", "new"} {
		found := regexp.MustCompile(kind + ` connections: (\d+) of (\d+) requests failed, in (\d+) moments`).FindStringSubmatch(out)
		require.Len(r.t, found, 4, out)
		failed, _ := strconv.Atoi(found[1]) // digits
		sent, _ := strconv.Atoi(found[2])
		moments, _ := strconv.Atoi(found[3])
		require.Greater(r.t, sent, 50)
		require.Less(r.t, failed, sent/10+1, "a moment that does not end: %s", out)
		require.LessOrEqual(r.t, moments, most, out)
	}
}
