package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// sameLifetime is how far two lifetimes may be apart that mean the same: cfssl counts from
// a little before now, in whole minutes.
const sameLifetime = 10 * time.Minute

// Unlike tells in what a root differs from what a spec asks for: "its key is RSA-4096, not
// ECDSA-P256". A root is not changed in place, so that it may differ for years.
func (r *Root) Unlike(spec RootSpec) (out []string) {
	differs := func(what, is, want string) {
		if is != want {
			out = append(out, fmt.Sprintf("%s is %s, not %s", what, is, want))
		}
	}
	differs("its key", algorithm(r.cert.PublicKey), spec.KeyAlgorithm)
	differs("its common name", fmt.Sprintf("%q", r.cert.Subject.CommonName), fmt.Sprintf("%q", spec.CommonName))
	differs("its organization", fmt.Sprintf("%q", strings.Join(r.cert.Subject.Organization, ", ")), fmt.Sprintf("%q", spec.Organization))
	if life := r.cert.NotAfter.Sub(r.cert.NotBefore); (life - spec.Lifetime).Abs() > sameLifetime {
		differs("its lifetime", hours(life), hours(spec.Lifetime))
	}
	return out
}

// KeyIs reports whether a private key is of an algorithm of the fleet file. The error
// never quotes the key.
func KeyIs(keyPEM []byte, want string) (bool, error) {
	key, err := publicOf(keyPEM)
	return err == nil && algorithm(key) == want, err
}

// checkSettings compares an intermediate with what a spec asks for and a certificate can be
// issued anew for: the algorithm of its key, and its lifetime, which ends with the root's.
func checkSettings(cert, root *x509.Certificate, spec IntermediateSpec) error {
	if err := checkAlgorithm(cert, spec); err != nil {
		return err
	}
	want := cert.NotBefore.Add(spec.Lifetime)
	if want.After(root.NotAfter) {
		want = root.NotAfter
	}
	if cert.NotAfter.Sub(want).Abs() > sameLifetime {
		return fmt.Errorf("it ends at %s, want %s", cert.NotAfter.UTC().Format(time.RFC3339), want.UTC().Format(time.RFC3339))
	}
	return nil
}

func checkAlgorithm(cert *x509.Certificate, spec IntermediateSpec) error {
	if is := algorithm(cert.PublicKey); is != spec.KeyAlgorithm {
		return fmt.Errorf("its key is %s, want %s", is, spec.KeyAlgorithm)
	}
	return nil
}

// algorithm names the algorithm of a public key as the fleet file does, where it can.
func algorithm(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA-" + strings.ReplaceAll(k.Params().Name, "-", "")
	}
	return fmt.Sprintf("%T", key)
}

func hours(d time.Duration) string { return fmt.Sprintf("%.0fh", d.Hours()) }
