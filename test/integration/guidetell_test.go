package integration

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var getOptions = metav1.GetOptions{}

// teller tells objects in a form that can be compared field by field: it opens what is
// packed into one string, and leaves out what is by chance.
type teller struct {
	// addresses has pairs of what is by chance and what stands for it.
	addresses []string
}

// assigned lists the fields that the API server or a controller fills in, different for each
// object.
var assigned = [][]string{
	{"metadata", "uid"}, {"metadata", "resourceVersion"}, {"metadata", "generation"}, {"metadata", "creationTimestamp"}, {"metadata", "managedFields"},
	{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "healthCheckNodePort"}, {"status"}, {"metadata", "labels", "modifiedAt"}, {"metadata", "annotations", "deployment.kubernetes.io/revision"},
}

func (r teller) object(o *unstructured.Unstructured) any {
	for _, field := range assigned {
		unstructured.RemoveNestedField(o.Object, field...)
	}
	owners := o.GetOwnerReferences()
	for i := range owners {
		owners[i].UID = ""
	}
	o.SetOwnerReferences(owners)
	if name := helmRevision.ReplaceAllString(o.GetName(), ""); o.GetKind() == "Secret" && name != o.GetName() {
		o.SetName(name) // an operator upgrades its releases as often as it likes
		unstructured.RemoveNestedField(o.Object, "metadata", "labels", "version")
	}
	if o.GetKind() == "Secret" {
		data, _, _ := unstructured.NestedMap(o.Object, "data")
		for key, value := range data {
			text, _ := base64.StdEncoding.DecodeString(value.(string))
			data[key] = string(text)
		}
		if len(data) > 0 {
			o.Object["data"] = data
		}
	}
	for _, field := range []string{"labels", "annotations"} { // each of them counts, also of an object that has no other
		if _, found, _ := unstructured.NestedMap(o.Object, "metadata", field); !found {
			_ = unstructured.SetNestedMap(o.Object, map[string]any{}, "metadata", field)
		}
	}
	return r.value(o.Object)
}

func (r teller) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, field := range v {
			if key != "nodePort" { // by chance
				out[key] = r.value(field)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.value(item)
		}
		return out
	case string:
		return r.text(v)
	}
	return v
}

func (r teller) text(s string) any {
	s = strings.NewReplacer(r.addresses...).Replace(s)
	if strings.HasPrefix(s, "AGE-SECRET-KEY") {
		return "an age identity"
	}
	if strings.Contains(s, "-----BEGIN ") {
		return pemBlocks([]byte(s))
	}
	if claims := claimsOf(s); claims != nil {
		return claims
	}
	if packed, err := base64.StdEncoding.DecodeString(s); err == nil && bytes.HasPrefix(packed, []byte("-----BEGIN ")) {
		return pemBlocks(packed)
	} else if release := releaseOf(packed); err == nil && release != nil {
		return r.value(release)
	}
	var document map[string]any
	if (strings.Contains(s, "\n") || strings.HasPrefix(s, "{")) && yaml.Unmarshal([]byte(s), &document) == nil {
		return r.value(document)
	}
	return s
}

// releaseOf opens what Helm keeps of a release. The manifest is in the objects, and what
// the chart has besides, in its version.
func releaseOf(packed []byte) map[string]any {
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil
	}
	var release map[string]any
	if json.Unmarshal(text, &release) != nil {
		return nil
	}
	metadata, _, _ := unstructured.NestedMap(release, "chart", "metadata")
	release["chart"] = metadata
	info, _, _ := unstructured.NestedMap(release, "info")
	for _, moment := range []string{"first_deployed", "last_deployed", "notes"} {
		delete(info, moment)
	}
	if info["description"] == "Upgrade complete" {
		info["description"] = "Install complete"
	}
	release["info"] = info
	delete(release, "manifest")
	delete(release, "version")
	return release
}

// claimsOf opens a token of a service account, or returns nil.
func claimsOf(s string) map[string]any {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return nil
	}
	delete(claims, "kubernetes.io/serviceaccount/service-account.uid")
	return claims
}

// pemBlocks tells what certificates and keys say. Numbers, signatures and keys themselves
// are by chance.
func pemBlocks(data []byte) (out []any) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		said := map[string]any{"block": block.Type}
		if block.Type == "CERTIFICATE" {
			said["certificate"] = certificate(block.Bytes)
		} else if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			said["key"] = keyOf(key)
		} else if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			said["key"] = keyOf(key)
		}
		out = append(out, said)
	}
	return out
}

func certificate(der []byte) any {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err.Error()
	}
	extensions := map[string]any{}
	for _, e := range c.Extensions {
		value := fmt.Sprintf("%x", e.Value)
		if id := e.Id.String(); id == "2.5.29.14" || id == "2.5.29.35" { // of the key
			value = fmt.Sprintf("%d bytes", len(e.Value))
		}
		extensions[e.Id.String()] = fmt.Sprintf("critical %v, %s", e.Critical, value)
	}
	return map[string]any{"version": c.Version, "signature": c.SignatureAlgorithm.String(), "key": keyOf(c.PublicKey), "subject": c.Subject.String(),
		"issuer": c.Issuer.String(), "lifetime": c.NotAfter.Sub(c.NotBefore).Round(time.Hour).String(), "names": fmt.Sprint(c.DNSNames, c.URIs, c.IPAddresses), "extensions": extensions}
}

func keyOf(key any) string {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name
	}
	return fmt.Sprintf("%T", key)
}
