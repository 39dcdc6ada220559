package docs

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/test/lab"
)

// patience is how long a script waits for what must come: longer than it takes on a machine that is
// short of cores.
const patience = 4 * time.Minute

// line is a call of a page's command in a script:
//
//	doc [-code N] [-with OLD=NEW]… [-args ARGUMENTS] [-until PATTERN] PAGE[,PAGE…] COMMAND
//
// -with fills a placeholder in, -args adds arguments that the page leaves to the reader, and -until
// starts a program that goes on, and waits until it has printed that.
type line struct {
	code    int
	with    []string
	args    string
	until   string
	pages   []string
	command string
}

// parse reads the arguments of a line.
func parse(args []string) (l line, err error) {
	for len(args) > 2 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-code":
			l.code, err = strconv.Atoi(args[1])
		case "-with":
			l.with = append(l.with, args[1])
		case "-args":
			l.args = args[1]
		case "-until":
			l.until = args[1]
		default:
			err = fmt.Errorf("doc has no flag %s", args[0])
		}
		if err != nil {
			return l, err
		}
		args = args[2:]
	}
	if len(args) != 2 {
		return l, fmt.Errorf("want PAGE and COMMAND, in quotes, got %q", args)
	}
	l.pages, l.command = strings.Split(args[0], ","), args[1]
	return l, nil
}

// lacking returns the pages that do not have the command.
func (l line) lacking(all map[string][]string) (lacking []string) {
	for _, page := range l.pages {
		if !slices.Contains(all[page], l.command) {
			lacking = append(lacking, page)
		}
	}
	return lacking
}

// shell is the command for a shell, complete.
func (l line) shell() (string, error) {
	command := l.command
	for _, w := range l.with {
		old, filled, _ := strings.Cut(w, "=")
		if old == "" || !strings.Contains(command, old) {
			return "", fmt.Errorf("-with %s: %q has no %q", w, command, old)
		}
		command = strings.ReplaceAll(command, old, filled)
	}
	return strings.TrimSpace(command + " " + l.args), nil
}

// runDocumented runs a command that pages have.
func runDocumented(ts *testscript.TestScript, all map[string][]string, neg bool, args []string) {
	l, err := parse(args)
	ts.Check(err)
	if lacking := l.lacking(all); len(lacking) > 0 {
		ts.Fatalf("%s does not have the command %q any more", strings.Join(lacking, ", "), l.command)
	}
	command, err := l.shell()
	ts.Check(err)
	if l.until != "" {
		background(ts, strings.TrimSuffix(command, "&"), l.until)
		return
	}
	code := exit(ts, ts.Exec("bash", "-o", "pipefail", "-c", command))
	if neg && code == 0 || !neg && code != l.code {
		ts.Fatalf("%s: exit code %d, and the script wants %d", command, code, l.code)
	}
}

// exit returns the exit code of a program.
func exit(ts *testscript.TestScript, err error) int {
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		return exited.ExitCode()
	}
	ts.Check(err)
	return 0
}

// background starts a program that runs until the script ends or stops it, and waits until it has
// printed a pattern.
func background(ts *testscript.TestScript, command, until string) {
	log := fmt.Sprintf("log%d", len(strings.Fields(ts.Getenv("STARTED")))+1)
	started := `set -m; exec 3>"$1"; (` + command + `) </dev/null >&3 2>&3 & echo $!`
	ts.Check(ts.Exec("bash", "-c", started, "bash", ts.MkAbs(log)))
	pid := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Setenv("STARTED", strings.TrimSpace(ts.Getenv("STARTED")+" "+pid))
	if !strings.Contains(ts.Getenv("STARTED"), " ") {
		ts.Defer(func() { end(ts, false, nil) })
	}
	wanted := regexp.MustCompile(until)
	for end := time.Now().Add(patience); !wanted.MatchString(ts.ReadFile(log)); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) || ts.Exec("kill", "-0", pid) != nil {
			ts.Fatalf("%s never printed %q:\n%s", command, until, ts.ReadFile(log))
		}
	}
}

// end ends the programs that the script started, and waits for them.
func end(ts *testscript.TestScript, _ bool, _ []string) {
	for _, pid := range strings.Fields(ts.Getenv("STARTED")) {
		_ = ts.Exec("bash", "-c", "{ kill -- -$0; while kill -0 -- -$0; do sleep 0.1; done; } 2>/dev/null", pid)
	}
	ts.Setenv("STARTED", "")
}

// standalone starts Temporal and a worker on the kubeconfigs of the lab, or of its flags, and waits until they answer.
func standalone(ts *testscript.TestScript, _ bool, args []string) {
	if !slices.Contains(args, "--kubeconfig-dir") {
		args = append(args, "--kubeconfig-dir", ts.Getenv("LAB"))
	}
	background(ts, "exec landbridge-standalone --no-ui --state-dir temporal --root-dir roots --port $PORT "+strings.Join(args, " "), ".")
	await(ts, false, []string{"knows nothing of a fleet", "landbridge", "status", "nobody"})
}

// await repeats a command until it prints a pattern, as grep -E has them.
func await(ts *testscript.TestScript, _ bool, args []string) {
	const repeat = `end=$((SECONDS + $1))
until out=$("${@:3}" 2>&1); grep -qE -- "$2" <<< "$out"; do
  [ $SECONDS -lt $end ] || { echo "$out" >&2; exit 1; }
  sleep 0.3
done
echo "$out"`
	if ts.Exec("bash", append([]string{"-c", repeat, "await", fmt.Sprint(patience.Seconds())}, args...)...) != nil {
		ts.Fatalf("%q never printed %q", args[1:], args[0])
	}
}

// kubeconfig writes a file with contexts that lead to the lab's clusters: kubeconfig FILE CONTEXT=CLUSTER…
func kubeconfig(ts *testscript.TestScript, l *lab.Lab, args []string) {
	all := clientcmdapi.NewConfig()
	for _, arg := range args[1:] {
		name, cluster, _ := strings.Cut(arg, "=")
		cfg, err := clientcmd.LoadFromFile(l.Kubeconfig(cluster))
		ts.Check(err)
		at := cfg.Contexts[cfg.CurrentContext]
		all.Clusters[name], all.AuthInfos[name] = cfg.Clusters[at.Cluster], cfg.AuthInfos[at.AuthInfo]
		all.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
		if all.CurrentContext == "" {
			all.CurrentContext = name
		}
	}
	file := ts.MkAbs(args[0])
	ts.Check(exec.Command("mkdir", "-p", filepath.Dir(file)).Run())
	ts.Check(clientcmd.WriteToFile(*all, file))
}
