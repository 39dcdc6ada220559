// Command pod is what runs in the lab's own pods: the sandbox's pause, an
// application for tests, and its client. The lab builds it into an image.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("want pause, serve ADDRESS TEXT, get URL, or tls or hold ADDRESS SERVERNAME [CERT KEY]")
	}
	switch verb, args := os.Args[1], os.Args[2:]; {
	case verb == "pause":
		pause()
	case verb == "serve" && len(args) == 2:
		serve(args[0], args[1])
	case verb == "get" && len(args) == 1:
		get(args[0])
	case verb == "tls" && (len(args) == 2 || len(args) == 4):
		dial(args, 5*time.Second)
	case verb == "hold" && (len(args) == 2 || len(args) == 4):
		dial(args, time.Hour)
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

// dial makes a TLS handshake without looking at the server's certificate, with a
// client certificate where one is given, and says how far it came. One that still
// stands after the wait counts as open.
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
	began := time.Now()
	session := tls.Client(conn, cfg)
	if err := session.Handshake(); err != nil {
		fail("no TLS: %v", err)
	}
	// TLS 1.3 tells of a refused client certificate, and Envoy of a refused
	// identity, only after the handshake.
	_ = conn.SetDeadline(time.Now().Add(wait))
	_, err = session.Read(make([]byte, 1))
	if late, ok := err.(net.Error); ok && late.Timeout() {
		fmt.Println("open: the connection stands")
		return
	}
	fail("shut after %s: %v", time.Since(began).Round(time.Millisecond), err)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
