package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/report"
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) gather() *cobra.Command {
	var (
		out     string
		offline bool
		known   knownBy
	)
	cmd := &cobra.Command{
		Use:   "gather",
		Short: "Write a support bundle without secrets",
		Long: "Write a support bundle (.tar.gz) for somebody who helps: the fleet file (with FLEET, what was rolled\n" +
			"out last or, with --offline, how the clusters are reached), the status and report of\n" +
			"the last rollout or cleanup, and from each cluster the fleet's objects, and the pods, events and\n" +
			"last log lines of Istio's namespace, as a worker reads them.\n\n" +
			"It shows the data of a Secret by length and fingerprint only, but it has names, addresses and\n" +
			"certificates: look at it before you send it.",
		Example: "  landbridge gather -f fleet.yaml\n  landbridge gather prod\n  landbridge gather --offline --out bundle.tar.gz   # reads no cluster",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			f := &in.Fleet
			b := &bundle{files: map[string][]byte{"version.txt": []byte("landbridge " + build.Version() + "\n")}}
			if err := a.gatherRun(cmd.Context(), b, f.Metadata.Name); err != nil {
				return failed(err)
			}
			if !offline {
				var r api.GatherFleetResult
				if err := a.look(cmd.Context(), api.GatherFleet, in, &r, func(c client.Client, id string) {
					b.clusters(cmd.Context(), c, id, r)
				}); err != nil {
					return err
				}
				if r.Fleet != nil {
					f = r.Fleet
				}
			}
			if b.files["fleet.yaml"], err = yaml.Marshal(f); err != nil {
				return failed(err)
			}
			name := fmt.Sprintf("landbridge-%s-%s", f.Metadata.Name, time.Now().UTC().Format("20060102T150405Z"))
			out = cmp.Or(out, name+".tar.gz")
			if err := b.write(out, name); err != nil {
				return failed(fmt.Errorf("write the bundle: %w", err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s; without secrets, but with names and addresses: look at it before you send it\n", out, fleet.Count(len(b.files), "file"))
			for _, c := range slices.Sorted(maps.Keys(b.unread)) {
				fmt.Fprintf(cmd.ErrOrStderr(), "cluster %s could not be read: %s\n", c, b.unread[c])
			}
			return nil
		},
	}
	a.nameOrFile(cmd, &known)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write (default landbridge-FLEET-TIME.tar.gz)")
	cmd.Flags().BoolVar(&offline, "offline", false, "read no cluster, only what Temporal has")
	return cmd
}

// bundle collects the files of a support bundle.
type bundle struct {
	// files holds contents by path.
	files map[string][]byte
	// unread tells by cluster why one could not be read.
	unread map[string]string
}

// gatherRun adds status and report of the last rollout or cleanup, or why there are none.
func (a *app) gatherRun(ctx context.Context, b *bundle, name string) error {
	namespace := ""
	c, err := a.temporal.Dial(ctx, nil, func(o *client.Options) { namespace = o.Namespace })
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := readStatus(ctx, c, name)
	if err != nil {
		b.files["status.txt"] = []byte(err.Error() + "\n")
		return nil
	}
	if b.files["status.json"], err = jsonFile(status); err != nil {
		return err
	}
	r, err := report.Gather(ctx, c, cmp.Or(namespace, client.DefaultNamespace), fleet.WorkflowID(name), "")
	if err != nil {
		b.files["report.txt"] = []byte(err.Error() + "\n")
		return nil
	}
	var html bytes.Buffer
	if err := r.HTML(&html); err != nil {
		return err
	}
	b.files["report.html"] = html.Bytes()
	b.files["report.json"], err = jsonFile(r)
	return err
}

func jsonFile(v any) ([]byte, error) {
	var b bytes.Buffer
	err := writeJSON(&b, v)
	return b.Bytes(), err
}

// clusters adds what the workers read of each cluster, or why they could not read it.
func (b *bundle) clusters(ctx context.Context, c client.Client, id string, r api.GatherFleetResult) {
	b.unread = r.Unread
	for _, cluster := range r.Clusters {
		var got api.GatherClusterResult
		if err := runs.Outcome(ctx, c.GetWorkflow(ctx, api.Member(cluster).WorkflowID(id), ""), &got); err != nil {
			b.files[path.Join("clusters", cluster, "error.txt")] = []byte(cmp.Or(r.Unread[cluster], err.Error()) + "\n")
			continue
		}
		for name, text := range got.Files {
			b.files[path.Join("clusters", cluster, name)] = []byte(text)
		}
		if got.Cut {
			b.files[path.Join("clusters", cluster, "cut.txt")] = []byte("text is missing: there was more than Temporal carries\n")
		}
	}
}

// write writes the bundle as a .tar.gz whose files are below dir.
func (b *bundle) write(file, dir string) error {
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	archive := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		if err := archive.WriteHeader(&tar.Header{Name: path.Join(dir, name), Mode: 0o644, Size: int64(len(b.files[name])), ModTime: time.Now()}); err != nil {
			return err
		}
		if _, err := archive.Write(b.files[name]); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o600)
}
