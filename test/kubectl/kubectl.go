// Package kubectl is kubectl for tests on a machine that has none: those of its commands that the
// guide, the pages and their scripts have, by kubectl's own code.
package kubectl

import (
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/annotate"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/create"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/label"
	"k8s.io/kubectl/pkg/cmd/patch"
	"k8s.io/kubectl/pkg/cmd/replace"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// Run runs kubectl with arguments, such as get and pods, on the streams of this process. Some of
// kubectl's errors end the process, as they do there.
func Run(args []string) error {
	flags := genericclioptions.NewConfigFlags(true)
	f := cmdutil.NewFactory(flags)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	root := &cobra.Command{Use: "kubectl"}
	flags.AddFlags(root.PersistentFlags())
	root.AddCommand(annotate.NewCmdAnnotate("kubectl", f, streams), apply.NewCmdApply("kubectl", f, streams), create.NewCmdCreate(f, streams),
		delete.NewCmdDelete(f, streams), get.NewCmdGet("kubectl", f, streams), label.NewCmdLabel(f, streams), patch.NewCmdPatch(f, streams),
		replace.NewCmdReplace(f, streams))
	root.SetArgs(args)
	return root.Execute()
}
