package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// ui is Temporal's web UI, whose files are inside the binary.
type ui struct{ server *uiserver.Server }

type uiConfig struct{ uiconfig.Config }

// GetConfig implements the UI server's ConfigProvider.
func (c *uiConfig) GetConfig() (*uiconfig.Config, error) { return &c.Config, nil }

func startUI(o Options) (*ui, error) {
	cfg := &uiConfig{uiconfig.Config{
		TemporalGRPCAddress: fmt.Sprintf("%s:%d", loopback, o.Port),
		Host:                loopback,
		Port:                o.UIPort,
		EnableUI:            true,
		DefaultNamespace:    Namespace,
		HideLogs:            true,
		DisableNewsFetch:    true, // nothing is fetched from outside
		CORS:                uiconfig.CORS{CookieInsecure: true, AllowOrigins: []string{fmt.Sprintf("http://%s:%d", loopback, o.UIPort)}},
	}}
	u := &ui{uiserver.NewServer(uioptions.WithConfigProvider(cfg))}
	go func() { _ = u.server.Start() }() // it ends with stop
	return u, u.wait(o.UIPort)
}

// wait until the UI answers, so that its address is good when it is printed.
func (u *ui) wait(port int) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s:%d/healthz", loopback, port), nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the Temporal UI does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (u *ui) stop() { u.server.Stop() }
