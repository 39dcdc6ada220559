package server

import (
	"context"
	"fmt"
	"net/http"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiapi "github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// ui serves Temporal's web UI, whose files are inside the binary.
type ui struct{ server *uiserver.Server }

type uiConfig struct{ uiconfig.Config }

// GetConfig implements the UI server's ConfigProvider.
func (c *uiConfig) GetConfig() (*uiconfig.Config, error) { return &c.Config, nil }

// startUI returns once the UI answers, so that its address is good when it is printed.
func startUI(ctx context.Context, o Options) (*ui, error) {
	url := "http://" + address(o.UIPort)
	cfg := &uiConfig{uiconfig.Config{
		TemporalGRPCAddress: address(o.Port),
		Host:                loopback,
		Port:                o.UIPort,
		EnableUI:            true,
		DefaultNamespace:    Namespace,
		HideLogs:            true,
		DisableNewsFetch:    true, // nothing is fetched from outside
		Codec:               uiconfig.Codec{Endpoint: o.codecURL()},
		CORS:                uiconfig.CORS{CookieInsecure: true, AllowOrigins: []string{url}},
	}}
	u := &ui{uiserver.NewServer(uioptions.WithConfigProvider(cfg), uioptions.WithAPIMiddleware([]uiapi.Middleware{ownHosts()}))}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(fmt.Errorf("it ended: %w", u.server.Start())) }() // it ends with stop
	return u, untilReady(ctx, "the Temporal UI", func(ctx context.Context) error { return get(ctx, url+"/healthz") })
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	return nil
}

func (u *ui) stop() { u.server.Stop() }
