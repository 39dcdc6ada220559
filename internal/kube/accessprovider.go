package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// AccessProvider says which exec plugin gives a credential where a ClusterProfile names a
// provider, as the file of the cluster inventory API's own library has it.
type AccessProvider struct {
	Name       string `json:"name"`
	ExecConfig struct {
		APIVersion         string                    `json:"apiVersion"`
		Command            string                    `json:"command"`
		Args               []string                  `json:"args"`
		Env                []clientcmdapi.ExecEnvVar `json:"env"`
		ProvideClusterInfo bool                      `json:"provideClusterInfo"`
	} `json:"execConfig"`
	// ArgsPolicy and EnvPolicy say what becomes of arguments and variables in the profile:
	// Ignore (the default), or Append for arguments, AppendIfNotExists or Replace for variables.
	ArgsPolicy string `json:"profileSourcedCLIArgsPolicy"`
	EnvPolicy  string `json:"profileSourcedEnvVarsPolicy"`
}

// ParseAccessProviders reads the file of access providers.
func ParseAccessProviders(data []byte) ([]AccessProvider, error) {
	var file struct {
		Providers []AccessProvider `json:"providers"`
	}
	if json.Unmarshal(data, &file) != nil || len(file.Providers) == 0 { // the cause may quote it
		return nil, errors.New(`want {"providers": [{"name": …, "execConfig": {"command": …}}]}`)
	}
	for _, p := range file.Providers {
		switch {
		case p.Name == "" || p.ExecConfig.Command == "":
			return nil, errors.New("each provider needs a name and an execConfig with a command")
		case !slices.Contains([]string{"", "Ignore", "Append"}, p.ArgsPolicy):
			return nil, fmt.Errorf("provider %s: profileSourcedCLIArgsPolicy is Ignore or Append, not %q", p.Name, p.ArgsPolicy)
		case !slices.Contains([]string{"", "Ignore", "AppendIfNotExists", "Replace"}, p.EnvPolicy):
			return nil, fmt.Errorf("provider %s: profileSourcedEnvVarsPolicy is Ignore, AppendIfNotExists or Replace, not %q", p.Name, p.EnvPolicy)
		}
	}
	return file.Providers, nil
}

// The extensions by which a profile gives a plugin arguments and variables.
const (
	profileArgs = "clusterprofiles.multicluster.x-k8s.io/exec/additional-args"
	profileEnv  = "clusterprofiles.multicluster.x-k8s.io/exec/additional-envs"
)

// kubeconfig returns what an offer and the provider's plugin make.
func (p AccessProvider) kubeconfig(s offer) (*clientcmdapi.Config, error) {
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Config", "clusters": []any{map[string]any{"name": "profile", "cluster": s.Cluster}}})
	var raw *clientcmdapi.Config
	if err == nil {
		raw, err = clientcmd.Load(text)
	}
	var extensions struct {
		Extensions []struct {
			Name      string          `json:"name"`
			Extension json.RawMessage `json:"extension"`
		} `json:"extensions"`
	}
	if err == nil {
		err = json.Unmarshal(s.Cluster, &extensions)
	}
	if err != nil || raw.Clusters["profile"] == nil {
		return nil, fmt.Errorf("has a cluster of the access provider %s that is none of a kubeconfig", p.Name)
	}
	version := p.ExecConfig.APIVersion
	if version == "" {
		version = execVersion
	}
	e := execConfig(p.ExecConfig.Command, slices.Clone(p.ExecConfig.Args), version)
	e.Env, e.ProvideClusterInfo = slices.Clone(p.ExecConfig.Env), p.ExecConfig.ProvideClusterInfo
	for _, x := range extensions.Extensions {
		switch x.Name {
		case profileArgs:
			err = p.addArgs(e, x.Extension)
		case profileEnv:
			err = p.addEnv(e, x.Extension)
		}
		if err != nil {
			return nil, err
		}
	}
	raw.AuthInfos["profile"] = &clientcmdapi.AuthInfo{Exec: e}
	raw.Contexts["profile"], raw.CurrentContext = &clientcmdapi.Context{Cluster: "profile", AuthInfo: "profile"}, "profile"
	return raw, nil
}

func (p AccessProvider) addArgs(e *clientcmdapi.ExecConfig, data []byte) error {
	if p.ArgsPolicy != "Append" {
		return nil
	}
	var more []string
	if json.Unmarshal(data, &more) != nil {
		return errors.New("has arguments for the exec plugin that are no list of strings")
	}
	e.Args = append(e.Args, more...)
	return nil
}

func (p AccessProvider) addEnv(e *clientcmdapi.ExecConfig, data []byte) error {
	if p.EnvPolicy == "" || p.EnvPolicy == "Ignore" {
		return nil
	}
	var more map[string]string
	if json.Unmarshal(data, &more) != nil {
		return errors.New("has variables for the exec plugin that are no mapping of strings")
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		at := slices.IndexFunc(e.Env, func(v clientcmdapi.ExecEnvVar) bool { return v.Name == name })
		switch {
		case at < 0:
			e.Env = append(e.Env, clientcmdapi.ExecEnvVar{Name: name, Value: more[name]})
		case p.EnvPolicy == "Replace":
			e.Env[at].Value = more[name]
		}
	}
	return nil
}
