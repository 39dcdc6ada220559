package kube

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// argoConfig holds the key config of a cluster Secret of Argo CD, as its documentation has it.
type argoConfig struct {
	Username        string `json:"username"`
	Password        string `json:"password"`
	BearerToken     string `json:"bearerToken"`
	ProxyURL        string `json:"proxyUrl"`
	TLSClientConfig struct {
		Insecure   bool   `json:"insecure"`
		ServerName string `json:"serverName"`
		CAData     []byte `json:"caData"`
		CertData   []byte `json:"certData"`
		KeyData    []byte `json:"keyData"`
	} `json:"tlsClientConfig"`
	ExecProviderConfig *struct {
		Command     string            `json:"command"`
		Args        []string          `json:"args"`
		Env         map[string]string `json:"env"`
		APIVersion  string            `json:"apiVersion"`
		InstallHint string            `json:"installHint"`
	} `json:"execProviderConfig"`
	AWSAuthConfig *struct {
		ClusterName string `json:"clusterName"`
		RoleARN     string `json:"roleARN"`
		Profile     string `json:"profile"`
	} `json:"awsAuthConfig"`
}

// execVersion is the version of exec plugins where nobody names one.
const execVersion = "client.authentication.k8s.io/v1beta1"

// fromArgoCD makes a kubeconfig of a cluster Secret of Argo CD.
func fromArgoCD(data map[string][]byte) (*clientcmdapi.Config, error) {
	if len(data["server"]) == 0 {
		return nil, errors.New(`has no key "server"; a cluster Secret of Argo CD has the keys name, server and config`)
	}
	var c argoConfig
	if text := data["config"]; len(text) > 0 {
		if json.Unmarshal(text, &c) != nil { // the cause may quote it
			return nil, errors.New(`has a key "config" that is not the JSON of Argo CD`)
		}
	}
	user := c.user()
	if user == nil {
		return nil, errors.New(`has no credential under the key "config" (bearerToken, certData, username, execProviderConfig or awsAuthConfig); that of the cluster in which Argo CD itself runs has none, and needs a kubeconfig of its own`)
	}
	raw, t := clientcmdapi.NewConfig(), c.TLSClientConfig
	raw.Clusters["argocd"] = &clientcmdapi.Cluster{Server: string(data["server"]), InsecureSkipTLSVerify: t.Insecure, TLSServerName: t.ServerName,
		CertificateAuthorityData: t.CAData, ProxyURL: c.ProxyURL}
	raw.AuthInfos["argocd"] = user
	raw.Contexts["argocd"], raw.CurrentContext = &clientcmdapi.Context{Cluster: "argocd", AuthInfo: "argocd"}, "argocd"
	return raw, nil
}

// user returns the credential, or nil where there is none. Argo CD asks AWS by a program of its
// own; `aws eks get-token` gives the same token.
func (c argoConfig) user() *clientcmdapi.AuthInfo {
	t := c.TLSClientConfig
	u := &clientcmdapi.AuthInfo{Username: c.Username, Password: c.Password, Token: c.BearerToken, ClientCertificateData: t.CertData, ClientKeyData: t.KeyData}
	switch e, aws := c.ExecProviderConfig, c.AWSAuthConfig; {
	case aws != nil:
		args := []string{"eks", "get-token", "--cluster-name", aws.ClusterName}
		if aws.RoleARN != "" {
			args = append(args, "--role-arn", aws.RoleARN)
		}
		if aws.Profile != "" {
			args = append(args, "--profile", aws.Profile)
		}
		u.Exec = execConfig("aws", args, execVersion)
	case e != nil:
		version := e.APIVersion
		if version == "" {
			version = execVersion
		}
		u.Exec = execConfig(e.Command, e.Args, version)
		u.Exec.InstallHint = e.InstallHint
		for _, name := range slices.Sorted(maps.Keys(e.Env)) {
			u.Exec.Env = append(u.Exec.Env, clientcmdapi.ExecEnvVar{Name: name, Value: e.Env[name]})
		}
	case u.Username == "" && u.Token == "" && len(u.ClientCertificateData) == 0:
		return nil
	}
	return u
}

func execConfig(command string, args []string, version string) *clientcmdapi.ExecConfig {
	return &clientcmdapi.ExecConfig{Command: command, Args: args, APIVersion: version, InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
}
