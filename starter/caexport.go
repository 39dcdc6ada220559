package main

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) caExport() *cobra.Command {
	var out, passphrase string
	var recipients []string
	var why fleet.Request
	cmd := &cobra.Command{Use: "export [FLEET]", Args: cobra.MaximumNArgs(1), Short: "Write the root with its key to a file that age encrypts",
		Long: "Write the fleet's root, certificate and private key, to a file that is encrypted with age: to the\n" +
			"recipients that you name, or with a passphrase. Who can open the file can make certificates that the\n" +
			"whole mesh trusts. `age --decrypt` opens it, `landbridge ca import` brings it back.\n\n" +
			fleetOrFile,
		Example: "  landbridge ca export prod --recipient age1… --out root.age --reason backup\n  landbridge ca export --passphrase-file pass.txt --out root.age",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.fleetToChange(cmd, args)
			if err != nil {
				return err
			}
			if err := keepsRoot(f); err != nil {
				return usage(err)
			}
			if (len(recipients) == 0) == (passphrase == "") {
				return usage(fmt.Errorf("name who can open the file: --recipient, or --passphrase-file"))
			}
			if _, err := age.ParseRecipients(strings.NewReader(strings.Join(recipients, "\n"))); len(recipients) > 0 && err != nil {
				return usage(fmt.Errorf("--recipient: %w; `age-keygen` makes a key and prints its recipient (age1…)", err))
			}
			if _, err := os.Stat(out); err == nil {
				return usage(fmt.Errorf("--out: %s exists; name a new file", out))
			}
			if err := requested(&why); err != nil {
				return err
			}
			own, err := age.GenerateX25519Identity()
			if err != nil {
				return failed(err)
			}
			if len(recipients) == 0 { // the passphrase stays here: the root comes sealed to a key of this moment
				recipients = []string{own.Recipient().String()}
			}
			var r api.ExportRootResult
			if err := a.look(cmd.Context(), api.ExportRoot, api.FleetInput{Fleet: *f, Root: api.RootChange{Recipients: recipients}, Request: why}, &r, nil); err != nil {
				return err
			}
			data, err := base64.StdEncoding.DecodeString(r.Sealed)
			if err == nil && passphrase != "" {
				data, err = underPassphrase(data, own, passphrase)
			}
			if err == nil {
				err = writeNew(out, data)
			}
			if err != nil {
				return failed(fmt.Errorf("write the root: %w", err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: the root %s of the fleet %s, encrypted with age; it was read %s\n", out, r.Facts.Fingerprint, r.Fleet, r.Kept)
			return nil
		}}
	a.fileFlag(cmd)
	waitFlag(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write (required)")
	_ = cmd.MarkFlagRequired("out")
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "age recipient (age1…) that can open the file; may be repeated")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", "", "file whose first line is the passphrase that opens the file")
	requestFlags(cmd, &why)
	return cmd
}

// underPassphrase decrypts what was sealed to an identity, and encrypts it with the
// passphrase of a file.
func underPassphrase(sealed []byte, own age.Identity, file string) ([]byte, error) {
	word, err := readPassphrase(file)
	if err != nil {
		return nil, err
	}
	to, err := age.NewScryptRecipient(word)
	if err != nil {
		return nil, err
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), own)
	if err != nil {
		return nil, err
	}
	return encryptAll(plain, to)
}

// encryptAll encrypts all of a reader to a recipient.
func encryptAll(plain io.Reader, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err == nil {
		_, err = io.Copy(w, plain)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

func readPassphrase(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	word, _, _ := strings.Cut(string(data), "\n")
	if word = strings.TrimRight(word, "\r"); word == "" {
		return "", fmt.Errorf("%s: its first line, the passphrase, is empty", file)
	}
	return word, nil
}

func (a *app) caImport() *cobra.Command {
	var identity, passphrase string
	var why fleet.Request
	var detach bool
	cmd := &cobra.Command{Use: "import FILE", Args: cobra.ExactArgs(1), Short: "Bring a root from a file that age encrypted",
		Long: "Bring a root, certificate and private key in PEM, from a file that is encrypted with age, to the\n" +
			"place that the fleet file names (spec.ca.root): one that `landbridge ca export` wrote, or one of\n" +
			"your own before the first rollout. Where the clusters know another root, it is refused.",
		Example: "  landbridge ca import root.age --identity key.txt --reason restore\n  landbridge ca import root.age --passphrase-file pass.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.load()
			if err != nil {
				return err
			}
			if err := keepsRoot(f); err != nil {
				return usage(err)
			}
			plain, err := openRoot(args[0], identity, passphrase)
			if err != nil {
				return usage(err)
			}
			if err := requested(&why); err != nil {
				return err
			}
			in := api.FleetInput{Fleet: *f, Request: why}
			var offer api.OfferRootResult
			if err := a.look(cmd.Context(), api.OfferRoot, in, &offer, nil); err != nil {
				return err
			}
			to, err := age.ParseX25519Recipient(offer.Recipient)
			if err != nil {
				return failed(err)
			}
			sealed, err := encryptAll(bytes.NewReader(plain), to)
			if err != nil {
				return failed(err)
			}
			in.Root.Sealed = base64.StdEncoding.EncodeToString(sealed)
			return a.change(cmd, api.ImportRoot, in, detach, a.showMoved(f.Spec.CA.Root))
		}}
	a.fileFlag(cmd)
	waitFlag(cmd)
	a.outputFlag(cmd)
	cmd.Flags().StringVar(&identity, "identity", "", "file with the age identity (AGE-SECRET-KEY-…) that opens the file")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", "", "file whose first line is the passphrase that opens the file")
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&detach, "detach", false, "start the import and return at once")
	return cmd
}

// openRoot decrypts a root's file, and checks that it has a certificate and a key. Its
// errors quote none of it.
func openRoot(path, identity, passphrase string) ([]byte, error) {
	if (identity == "") == (passphrase == "") {
		return nil, fmt.Errorf("name what opens the file: --identity, or --passphrase-file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ids, err := identities(identity, passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(data), ids...)
	if err != nil {
		return nil, fmt.Errorf("%s: it cannot be opened with this: %w", path, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: it is damaged: %w", path, err)
	}
	cert, rest := pem.Decode(plain)
	if cert == nil || cert.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s: want a certificate in PEM first, and then its private key", path)
	}
	if key, _ := pem.Decode(rest); key == nil || !strings.HasSuffix(key.Type, "PRIVATE KEY") {
		return nil, fmt.Errorf("%s: want a private key in PEM after the certificate", path)
	}
	return plain, nil
}

func identities(identity, passphrase string) ([]age.Identity, error) {
	if passphrase != "" {
		word, err := readPassphrase(passphrase)
		if err != nil {
			return nil, err
		}
		id, err := age.NewScryptIdentity(word)
		return []age.Identity{id}, err
	}
	f, err := os.Open(identity)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil { // the cause may quote what it could not parse
		return nil, fmt.Errorf("--identity: %s has no age identity (AGE-SECRET-KEY-…)", identity)
	}
	return ids, nil
}
