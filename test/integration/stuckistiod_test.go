package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
)

// stuckIstiod has north's istiod stop reading remote secrets, as istiod 1.31 does once one was
// replaced by a broken one, repaired, and deleted. Then the token with which it reads west is
// replaced and its connection cut: it goes on with the old token for ever, while clusterz says
// synced and a request goes through with the new one.
func (r *real) stuckIstiod() {
	other := func(ca []byte) string { return r.remoteSecretOf("north", "west", ca) }
	const secret = coreObjects + "secrets/istio-remote-secret-other"
	r.readsOther("north", other(nil))
	for _, ca := range [][]byte{r.connect("east").cfg.CAData, nil} {
		r.patch("north", secret, `{"data":{"other":"`+other(ca)+`"}}`)
		time.Sleep(3 * time.Second) // istiod looks at it
	}
	r.patch("north", secret, "")
	time.Sleep(3 * time.Second)

	r.patch("west", coreObjects+"secrets/"+r.newest("north", "west"), "")
	r.withoutProof(func() { r.rollout("--force-conflicts") }) // a slow one would see what comes now
	pods, err := r.pods("north", "istio-system", "app=kube-apiserver-west-egress-gateway")
	require.NoError(r.t, err)
	for _, p := range pods {
		r.patch("north", coreObjects+"pods/"+p.Name, "")
	}
	var got api.CheckLinkResult
	took := r.eventually("the watch that is refused is seen", func() error {
		if got = r.verify()["north -> west"]; got.Hop != api.HopView {
			return fmt.Errorf("%s", got.Sentence())
		}
		return nil
	})
	r.t.Logf("after %s: %s", took, got.Sentence())
	clusters, err := r.istiod("north", "/debug/clusterz")
	require.NoError(r.t, err)
	require.Contains(r.t, clusters, `"syncStatus":"synced"`, "what Istio's own tools show")

	require.Contains(r.t, got.Look, "landbridge restart")
	out := r.must("restart", "-f", r.fleet, "--cluster", "north", "--reason", "its endpoints are old", "--yes")
	require.Contains(r.t, out, "istiod of cluster north restarted")
	require.True(r.t, r.verify()["north -> west"].Proven, "%s", out)
	r.t.Logf("its restart repairs it:\n%s", out)
}

// readsOther has a cluster's istiod read another cluster, called other, by a remote secret.
func (r *real) readsOther(cluster, kubeconfig string) {
	r.create(cluster, coreObjects+"secrets\napiVersion: v1\nkind: Secret\nmetadata: {name: istio-remote-secret-other, labels: {istio/multiCluster: \"true\"}}\ndata: {other: "+kubeconfig+"}\n")
	r.eventually("istiod of "+cluster+" reads the other secret", func() error {
		out, err := r.istiod(cluster, "/debug/clusterz")
		if err == nil && !strings.Contains(out, `"other"`) {
			err = fmt.Errorf("clusterz says %s", out)
		}
		return err
	})
}

// remoteSecretOf returns the kubeconfig with which a source's istiod reads a target, in base64 and
// perhaps with another CA.
func (r *real) remoteSecretOf(source, target string, ca []byte) string {
	s, err := r.connect(source).CoreV1().Secrets("istio-system").Get(context.Background(), "istio-remote-secret-"+target, metav1.GetOptions{})
	require.NoError(r.t, err)
	cfg, err := clientcmd.Load(s.Data[target])
	require.NoError(r.t, err)
	for _, c := range cfg.Clusters {
		if ca != nil {
			c.CertificateAuthorityData = ca
		}
	}
	data, err := clientcmd.Write(*cfg)
	require.NoError(r.t, err)
	return base64.StdEncoding.EncodeToString(data)
}

// withoutProof changes the fleet file for as long as the function takes.
func (r *real) withoutProof(does func()) {
	before, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	without := strings.Replace(string(before), "rollout: {", "rollout: {skipProof: true, ", 1)
	require.NotEqual(r.t, string(before), without)
	require.NoError(r.t, os.WriteFile(r.fleet, []byte(without), 0o600))
	does()
	require.NoError(r.t, os.WriteFile(r.fleet, before, 0o600))
}
