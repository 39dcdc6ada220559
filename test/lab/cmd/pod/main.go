// Command pod runs in the lab's own pods, as the sandbox's pause, an application for
// tests, or its client. The lab builds it into an image.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("want pause, serve ADDRESS TEXT, get URL, tls or hold ADDRESS SERVERNAME [CERT KEY], or load ADDRESS SERVERNAME TOKENFILE PATH N")
	}
	switch verb, args := os.Args[1], os.Args[2:]; {
	case verb == "pause":
		pause()
	case verb == "serve" && len(args) == 2:
		serve(args[0], args[1])
	case verb == "get" && len(args) == 1:
		get(args[0])
	case verb == "tls" && (len(args) == 2 || len(args) == 4):
		dial(args, 0)
	case verb == "hold" && (len(args) == 2 || len(args) == 4):
		dial(args, time.Hour)
	case verb == "load" && len(args) == 5:
		load(args)
	default:
		fail("cannot %s %q", verb, args)
	}
}

// pause holds a sandbox, and reaps what is orphaned in it.
func pause() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-end:
			return
		case <-children:
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
					break
				}
			}
		}
	}
}

func serve(addr, text string) {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, text) })
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM)
		<-end
		os.Exit(0)
	}()
	fail("%v", server.ListenAndServe())
}

func get(url string) {
	client := &http.Client{Timeout: 10 * time.Second}
	began := time.Now()
	resp, err := client.Get(url)
	if err != nil {
		fail("%v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		fail("%v", err)
	}
	fmt.Printf("%d after %d ms: %s", resp.StatusCode, time.Since(began).Milliseconds(), body)
	if resp.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}

// dial makes a TLS session without looking at the server's certificate, with a
// client certificate where one is given, and inside it a second one for HTTP, as
// istiod has with an API server. It says how far it came, and with a wait how
// long the connection stands after that.
func dial(args []string, wait time.Duration) {
	cfg := &tls.Config{ServerName: args[1], InsecureSkipVerify: true}
	if len(args) == 4 {
		pair, err := tls.LoadX509KeyPair(args[2], args[3])
		if err != nil {
			fail("%v", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	conn, err := net.DialTimeout("tcp", args[0], 5*time.Second)
	if err != nil {
		fail("no TCP: %v", err)
	}
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	outer := tls.Client(conn, cfg)
	if err := outer.Handshake(); err != nil {
		fail("no TLS: %v", err)
	}
	// A refused certificate shows only after TLS 1.3's handshake, a refused identity
	// only with the first byte.
	inner := tls.Client(outer, &tls.Config{InsecureSkipVerify: true})
	if err := inner.Handshake(); err != nil {
		fail("shut: %v", err)
	}
	fmt.Fprint(inner, "GET /version HTTP/1.1\r\nHost: probe\r\n\r\n")
	answer := make([]byte, 12)
	if _, err := io.ReadFull(inner, answer); err != nil {
		fail("shut: %v", err)
	}
	fmt.Printf("open: the API server answers %s\n", answer)
	began := time.Now()
	if wait == 0 {
		return
	}
	_ = conn.SetDeadline(began.Add(wait))
	_, err = io.Copy(io.Discard, inner)
	fmt.Printf("it ended after %s: %v\n", time.Since(began).Round(time.Millisecond), err)
}

// load asks an API server for a path N times over one connection, and prints how
// long the requests took and how fast the answers came.
func load(args []string) {
	token, err := os.ReadFile(args[2])
	if err != nil {
		fail("%v", err)
	}
	n, err := strconv.Atoi(args[4])
	if err != nil || n < 1 {
		fail("want a number of requests, got %q", args[4])
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{ServerName: args[1], InsecureSkipVerify: true}}}
	took := make([]time.Duration, n)
	var bytes int64
	began := time.Now()
	for i := range took {
		req, err := http.NewRequest(http.MethodGet, "https://"+args[0]+args[3], nil)
		if err != nil {
			fail("%v", err)
		}
		req.Header.Set("Authorization", "Bearer "+string(token))
		start := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			fail("%v", err)
		}
		got, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			fail("%s: %v", resp.Status, err)
		}
		bytes += got
		took[i] = time.Since(start)
	}
	speed := float64(bytes) / (1 << 20) / time.Since(began).Seconds()
	slices.Sort(took)
	fmt.Printf("%d requests, p50 %s, p99 %s, %.1f MiB/s\n", n, took[n/2].Round(10*time.Microsecond), took[n*99/100].Round(10*time.Microsecond), speed)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
