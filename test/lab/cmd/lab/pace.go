package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// pace returns a command that asks an API server for a path so often a second, by turns
// over a connection that is kept, as istiod's is, and over a new one, until its standard
// input ends. Each request is sent when its time has come, whatever became of others. The file has
// address, server name and token, as the remote secret has them at the moment.
func pace() *cobra.Command {
	var rate int
	cmd := &cobra.Command{Use: "pace FILE PATH", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.ReadFile(args[0]); err != nil {
				return err
			}
			ctx, stop := context.WithCancel(cmd.Context())
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				stop()
			}()
			kinds := []*requests{{kind: "kept"}, {kind: "new"}}
			var wg sync.WaitGroup
			tick := time.NewTicker(time.Second / time.Duration(rate))
			for n := 0; ctx.Err() == nil; n++ {
				select {
				case <-ctx.Done():
				case <-tick.C:
					now, err := os.ReadFile(args[0]) // somebody may change it meanwhile
					if err != nil {
						return err
					}
					way := strings.Fields(string(now))
					if len(way) != 3 {
						return fmt.Errorf("%s: want address, server name and token", args[0])
					}
					client := kinds[n%2].as(way[1])
					wg.Go(func() { kinds[n%2].send(client, "https://"+way[0]+args[1], way[2]) })
				}
			}
			wg.Wait()
			for _, k := range kinds {
				k.print()
			}
			return nil
		}}
	cmd.Flags().IntVar(&rate, "rate", 50, "requests a second")
	return cmd
}

// requests notes how those of one kind ended, and keeps the first failures.
type requests struct {
	kind, serverName string
	client           *http.Client

	mu   sync.Mutex
	took []time.Duration
	// answered tells when the last answer came, and pause how long none came at most.
	answered time.Time
	pause    time.Duration
	why      []string
	failed   []time.Time
}

// oneMoment is how far apart failures may be that one pod's end explains: connections that
// it carried break at once, and each of their requests learns of it when it gets a core.
const oneMoment = 500 * time.Millisecond

// moments counts the moments in which requests failed, however many in each.
func moments(failed []time.Time) (n int) {
	slices.SortFunc(failed, time.Time.Compare)
	for i, t := range failed {
		if i == 0 || t.Sub(failed[i-1]) > oneMoment {
			n++
		}
	}
	return n
}

// as returns the client for a server name. A connection that is kept is kept under one name.
func (r *requests) as(serverName string) *http.Client {
	if r.client == nil || r.serverName != serverName {
		fresh := r.kind == "new"
		r.serverName, r.client = serverName, &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: fresh, ForceAttemptHTTP2: !fresh,
			TLSClientConfig: &tls.Config{ServerName: serverName, InsecureSkipVerify: true}}}
	}
	return r.client
}

func (r *requests) send(client *http.Client, url, token string) {
	began := time.Now()
	way := &way{}
	err := ask(client, url, token, way)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, time.Since(began))
	if err == nil {
		if !r.answered.IsZero() {
			r.pause = max(r.pause, time.Since(r.answered))
		}
		r.answered = time.Now()
	} else {
		r.failed = append(r.failed, time.Now())
		r.why = append(r.why, fmt.Sprintf("  %s after %s: %v", began.Format("15:04:05.000"), time.Since(began).Round(time.Millisecond), err)+way.String())
	}
}

func (r *requests) print() {
	slices.Sort(r.took)
	fmt.Printf("%s connections: %d of %d requests failed, in %d moments; median %d ms, slowest %d ms, longest pause without an answer %d ms\n", r.kind, len(r.why), len(r.took), moments(r.failed),
		r.took[len(r.took)/2].Milliseconds(), r.took[len(r.took)-1].Milliseconds(), r.pause.Milliseconds())
	for _, why := range r.why[:min(len(r.why), 5)] {
		fmt.Println(why)
	}
}

// way notes how far a request came, for one that fails.
type way struct {
	mu    sync.Mutex
	marks []string
}

func (w *way) mark(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, time.Now().Format("05.000")+" "+what)
}

func (w *way) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return " (" + strings.Join(w.marks, ", ") + ")"
}

// traced returns a context in which a request notes its way.
func (w *way) traced() context.Context {
	return httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		ConnectStart:         func(string, string) { w.mark("connects") },
		ConnectDone:          func(_, _ string, err error) { w.mark(fmt.Sprintf("connected, error %v", err)) },
		GotConn:              func(c httptrace.GotConnInfo) { w.mark("connection of " + c.Conn.LocalAddr().String()) },
		TLSHandshakeStart:    func() { w.mark("handshake") },
		TLSHandshakeDone:     func(_ tls.ConnectionState, err error) { w.mark(fmt.Sprintf("handshake done, error %v", err)) },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { w.mark(fmt.Sprintf("sent, error %v", i.Err)) },
		GotFirstResponseByte: func() { w.mark("answer") },
	})
}

func ask(client *http.Client, url, token string, way *way) error {
	req, err := http.NewRequestWithContext(way.traced(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}
