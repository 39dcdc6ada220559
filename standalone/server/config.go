package server

import (
	"fmt"
	"net"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
)

// What Temporal calls the only cluster and the only database.
const (
	clusterName = "active"
	storeName   = sqliteplugin.PluginName
)

// serverConfig describes a server with one shard on one SQLite file.
func serverConfig(o Options) (*config.Config, error) {
	names := []string{"frontend", "history", "matching", "worker"}
	ports, err := freePorts(2*len(names), o.Port, o.UIPort)
	if err != nil {
		return nil, err
	}
	services := map[string]config.Service{}
	for i, name := range names {
		rpc := ports[2*i]
		if name == "frontend" {
			rpc = o.Port
		}
		services[name] = config.Service{RPC: config.RPC{GRPCPort: rpc, MembershipPort: ports[2*i+1], BindOnLocalHost: true}}
	}
	frontend := address(o.Port)
	return &config.Config{
		Global: config.Global{Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback}},
		Persistence: config.Persistence{
			DefaultStore: storeName, VisibilityStore: storeName, NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{storeName: {SQL: &config.SQL{
				PluginName: storeName, DatabaseName: filepath.Join(o.Dir, databaseFile),
				// More connections than one would meet SQLITE_BUSY. FULL: what was
				// acknowledged survives a power cut.
				MaxConns: 1, MaxIdleConns: 1,
				ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "full"},
			}}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, MasterClusterName: clusterName, CurrentClusterName: clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		Archival:            config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}},
		PublicClient:        config.PublicClient{HostPort: frontend},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}, nil
}

// dynamicConfig corrects two defaults that are meant for servers with thousands of
// shards: with one, 20 polls a second cost 50 ms before every workflow task, and
// timers are up to 1 s late.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key(): 1000,
		dynamicconfig.TimerProcessorMaxTimeShift.Key():  10 * time.Millisecond,
	}
}

// freePorts asks the kernel for ports, and holds all of them, and those that are
// given away already, until it has enough: none comes twice.
func freePorts(n int, taken ...int) ([]int, error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for _, p := range taken {
		if l, err := net.Listen("tcp", address(p)); err == nil {
			held = append(held, l)
		}
	}
	var ports []int
	for range n {
		l, err := net.Listen("tcp", address(0))
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
