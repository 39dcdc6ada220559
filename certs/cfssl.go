package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cloudflare/cfssl/auth"
	"github.com/cloudflare/cfssl/info"
	"github.com/cloudflare/cfssl/signer"
)

const (
	// cfsslTimeout limits one request to a cfssl server.
	cfsslTimeout = 20 * time.Second
	// cfsslAnswer limits an answer, in bytes: a certificate has some 2 KB.
	cfsslAnswer = 1 << 20
)

// CFSSL asks a cfssl server (`cfssl serve`) for signatures, and proves by a key that both
// have who asks. It sends what cfssl's own client sends; that one cannot be canceled,
// does not tell a refusal from a server that is gone, and panics at some answers.
type CFSSL struct {
	// URL of the server, without a slash at its end.
	URL string
	// Profile of the server's configuration that signs; empty is its default.
	Profile string
	// ServerCA holds the CA of the server's own certificate in PEM; empty: the system's.
	ServerCA []byte
	// Key proves who asks; nil where only the root is read.
	Key auth.Provider
}

// CA returns the certificate in PEM with which the server signs.
func (s *CFSSL) CA(ctx context.Context) ([]byte, error) {
	answer, err := s.post(ctx, "info", info.Req{Profile: s.Profile})
	return []byte(answer), err
}

// Sign has the server sign a CSR. The answer was checked with CheckIssued, and has the
// server's CA after the intermediate where that is not the root.
func (s *CFSSL) Sign(ctx context.Context, csrPEM, rootPEM []byte, spec IntermediateSpec) ([]byte, error) {
	request, err := json.Marshal(signer.SignRequest{Request: string(csrPEM), Profile: s.Profile,
		Subject: subject(spec.CommonName(), spec.Organization, spec.Cluster)})
	if err != nil {
		return nil, err
	}
	token, err := s.Key.Token(request)
	if err != nil {
		return nil, refused("make the token for %s: %v", s.URL, err)
	}
	answer, err := s.post(ctx, "authsign", auth.AuthenticatedRequest{Timestamp: time.Now().Unix(), Token: token, Request: request})
	if err != nil {
		return nil, err
	}
	bundle := []byte(answer)
	if fits := CheckIssued(bundle, csrPEM, rootPEM, spec); fits == nil {
		return bundle, nil
	}
	ca, err := s.CA(ctx)
	if err != nil {
		return nil, err
	}
	if between, err := parse(ca); err == nil && between.CheckSignatureFrom(between) != nil {
		bundle = append(append(bytes.TrimSpace(bundle), '\n'), ca...)
	}
	return bundle, CheckIssued(bundle, csrPEM, rootPEM, spec)
}

// cfsslAnswered holds what cfssl answers to any request.
type cfsslAnswered struct {
	Success bool `json:"success"`
	Result  struct {
		Certificate string `json:"certificate"`
	} `json:"result"`
	Errors []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// post sends a request, and returns the certificate of the answer. What the server
// refuses is an *IssuerError; a server that is not there, an error of net/http.
func (s *CFSSL) post(ctx context.Context, endpoint string, body any) (string, error) {
	client, err := s.client()
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	data, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/cfssl/"+endpoint, bytes.NewReader(data))
	if err != nil {
		return "", refused("spec.ca.issuer.cfssl.url: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, cfsslAnswer))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", s.URL, err)
	}
	return s.read(endpoint, resp, text)
}

// read takes the certificate out of an answer.
func (s *CFSSL) read(endpoint string, resp *http.Response, text []byte) (string, error) {
	var answer cfsslAnswered
	broken := json.Unmarshal(text, &answer)
	why := ""
	if len(answer.Errors) > 0 {
		why = fmt.Sprintf(": %s (%d)", answer.Errors[0].Message, answer.Errors[0].Code)
	}
	switch {
	case resp.StatusCode >= http.StatusInternalServerError, resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout:
		return "", &IssuerError{Reason: fmt.Sprintf("the cfssl server %s answers %s to %s%s", s.URL, resp.Status, endpoint, why), Later: true}
	case resp.StatusCode != http.StatusOK:
		return "", refused("the cfssl server %s refuses %s with %s%s", s.URL, endpoint, resp.Status, why)
	case broken != nil:
		return "", refused("the cfssl server %s answers %s with what is no answer of cfssl: %v", s.URL, endpoint, broken)
	case !answer.Success:
		return "", refused("the cfssl server %s refuses %s%s", s.URL, endpoint, why)
	case answer.Result.Certificate == "":
		return "", refused("the cfssl server %s answers %s without a certificate", s.URL, endpoint)
	}
	return answer.Result.Certificate, nil
}

// client returns a client that follows no redirect: the token is for this server.
func (s *CFSSL) client() (*http.Client, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(s.ServerCA) > 0 {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(s.ServerCA) {
			return nil, refused("spec.ca.issuer.cfssl.serverCA holds no certificate in PEM")
		}
	}
	return &http.Client{Timeout: cfsslTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}
