package server

import (
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/labstack/echo/v4"
	uiapi "github.com/temporalio/ui-server/v2/server/api"
)

// hosts are the names by which this machine calls itself. The port may be another one: that
// of a tunnel.
var hosts = []string{loopback, "localhost", "::1"}

// ownHosts refuses what a browser asks of the UI under any other name. A page from elsewhere
// may give its own name this machine's address (DNS rebinding), and would then be let in as
// the UI's own.
func ownHosts() uiapi.Middleware {
	return func(echo.Context) runtime.ServeMuxOption { return runtime.WithMiddlewares(onlyOwnHosts) }
}

func onlyOwnHosts(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		if !toOwnHost(r) {
			http.Error(w, fmt.Sprintf("the UI of landbridge-standalone answers to the names of its own machine only, and was called %q: open it at http://localhost", r.Host), http.StatusForbidden)
			return
		}
		next(w, r, params)
	}
}

// toOwnHost tells whether a request calls this machine by a name of its own.
func toOwnHost(r *http.Request) bool {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	return slices.Contains(hosts, name)
}
