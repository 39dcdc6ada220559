package server

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
)

// Limits of a request to the codec endpoint. The UI asks for what one page shows, and
// Temporal sends no more than 4 MiB of it at once.
const (
	maxBody      = 16 << 20
	readTimeout  = 30 * time.Second
	writeTimeout = 30 * time.Second
)

// codecEndpoint opens payloads for the UI, which runs in a browser and has no key.
type codecEndpoint struct{ server *http.Server }

// startCodec listens on loopback, like all else here.
func startCodec(o Options) (*codecEndpoint, error) {
	l, err := net.Listen("tcp", address(o.CodecPort))
	if err != nil {
		return nil, fmt.Errorf("--codec-port: %w", err)
	}
	e := &codecEndpoint{&http.Server{Handler: codecHandler(o.Codec, o.UIPort), ReadTimeout: readTimeout, WriteTimeout: writeTimeout}}
	go func() { _ = e.server.Serve(l) }() // it ends with stop
	return e, nil
}

func (e *codecEndpoint) stop() { _ = e.server.Close() }

// codecHandler answers `POST /decode` as Temporal's UI and CLI ask it, and nothing else: it
// encrypts nothing. A browser gets an answer for pages of the UI only. What is no browser
// names no origin; it runs on this machine, and is not kept out.
func codecHandler(codec converter.PayloadCodec, uiPort int) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /decode", http.MaxBytesHandler(onlyJSON(converter.NewPayloadCodecHTTPHandler(codec)), maxBody))
	mux.HandleFunc("OPTIONS /decode", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, X-Namespace")
		w.WriteHeader(http.StatusNoContent)
	})
	return onlyUI(mux, origins(uiPort))
}

// origins are those of the UI's pages.
func origins(uiPort int) (out []string) {
	for _, h := range hosts {
		out = append(out, "http://"+net.JoinHostPort(h, fmt.Sprint(uiPort)))
	}
	return out
}

// onlyUI refuses what a browser asks for another page, under whatever name it calls us.
func onlyUI(next http.Handler, origins []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin")
		w.Header().Set("Cache-Control", "no-store")
		origin := r.Header.Get("Origin")
		switch {
		case !toOwnHost(r):
			http.Error(w, fmt.Sprintf("the codec endpoint of landbridge-standalone answers to the names of its own machine only, and was called %q", r.Host), http.StatusForbidden)
			return
		case origin != "" && !slices.Contains(origins, origin):
			http.Error(w, fmt.Sprintf("the codec endpoint of landbridge-standalone answers to its own UI only (%s), not to a page of %q", origins[0], origin), http.StatusForbidden)
			return
		case origin != "":
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		next.ServeHTTP(w, r)
	})
}

// onlyJSON refuses what a page could send without asking first, as a form can.
func onlyJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); typ != "application/json" {
			http.Error(w, "want application/json", http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	})
}
