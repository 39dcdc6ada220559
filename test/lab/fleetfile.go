package lab

import (
	"os"
	"strings"
	"text/template"
)

const fleetFileName = "fleet.yaml"

var fleetFile = template.Must(template.New("fleet").Parse(`# A fleet of the lab's clusters. docs/fleet-file.md says what else can stand here.
apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: lab}
spec:
  istio: {version: v1.31.3}
  ca: {organization: my-company.org}
  gateways: {loadBalancerTimeout: 2m}
  rollout: {stepTimeout: 3m{{if eq .Nodes "kwok"}}, skipProof: true{{end}}}
  clusters:
{{- range .Clusters}}
  - {name: {{.Name}}, network: {{.Name}}-network, kubeconfig: {path: {{.Name}}.kubeconfig}, apiServer: {tlsServerName: {{.ServerName}}}}
{{- end}}
  links: mesh
`))

// writeFleetFile writes a fleet file that has every cluster of the lab.
func (l *Lab) writeFleetFile() error {
	var b strings.Builder
	if err := fleetFile.Execute(&b, l); err != nil {
		return err
	}
	return os.WriteFile(l.path(fleetFileName), []byte(b.String()), 0o644)
}
