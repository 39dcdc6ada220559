package kube

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// A firewall or a NAT that forgets a connection tells neither end. The request that meets it
// is sent again over another connection, well before its own limit.
func TestConnection_ThatDiedSilently_IsLeftBeforeARequestEnds(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"n"}}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	var forgotten atomic.Bool
	cfg := &rest.Config{Host: "https://" + forgetful(t, server.Listener.Addr().String(), &forgotten), TLSClientConfig: rest.TLSClientConfig{Insecure: true}, Timeout: requestTimeout}
	c, err := connect("west", cfg, func(context.Context) (*rest.Config, error) { return cfg, nil })
	require.NoError(t, err)
	get := func() error {
		_, err := c.Client.CoreV1().Namespaces().Get(t.Context(), "n", metav1.GetOptions{})
		return err
	}
	require.NoError(t, get())
	forgotten.Store(true)
	began := time.Now()
	require.NoError(t, get(), "client-go asks once more, over another connection")
	require.Less(t, time.Since(began), requestTimeout-5*time.Second)
}

// forgetful forwards connections to an address. Those that are open when it forgets carry
// nothing any more, and nobody closes them; new ones work.
func forgetful(t *testing.T, to string, forgotten *atomic.Bool) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	pass := func(from, to net.Conn, before bool) {
		buffer := make([]byte, 16<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				to.Close()
				return
			}
			if forgotten.Load() == before {
				to.Write(buffer[:n])
			}
		}
	}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			now := forgotten.Load()
			go pass(in, out, now)
			go pass(out, in, now)
		}
	}()
	return listener.Addr().String()
}
