package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientauth "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/rest"
)

// What is wrong with the exec plugin of a lab's kubeconfigs.
const (
	// PluginLate prints its credential after half a minute.
	PluginLate = "late"
	// PluginSilent ends well and prints nothing.
	PluginSilent = "silent"
	// PluginWrong prints something else than a credential.
	PluginWrong = "wrong"
	// PluginRefused prints a credential that the API server does not accept.
	PluginRefused = "refused"
	// PluginFails ends with exit code 1 and says why.
	PluginFails = "fails"
	// PluginGone is not there.
	PluginGone = "gone"
)

var pluginFaults = []string{PluginLate, PluginSilent, PluginWrong, PluginRefused, PluginFails, PluginGone}

// PluginBehaviour tells the exec plugin of a lab's kubeconfigs how to act.
type PluginBehaviour struct {
	// Generation revokes every credential that was given before when it changes. The plugin
	// has a new one then.
	Generation int `json:"generation"`
	// Fault names what the plugin does wrong. Empty: nothing.
	Fault string `json:"fault,omitempty"`
}

// PluginName names the program that prints the credentials.
const PluginName = "lab-login"

// pluginDir has for each cluster a kubeconfig that uses the plugin, and the plugin.
const pluginDir = "plugin"

func (l *Lab) plugin(cluster string) string { return l.path(pluginDir, cluster, PluginName) }

// PluginKubeconfig names the file that reaches a cluster by an exec plugin.
func (l *Lab) PluginKubeconfig(cluster string) string {
	return l.path(pluginDir, cluster+".kubeconfig")
}

// login revokes what the plugin of one cluster gave, and keeps the program.
type login struct {
	client kubernetes.Interface
	path   string
	script []byte
	now    *PluginBehaviour
}

func newLogin(l *Lab, c Cluster, cfg *rest.Config) (*login, error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	script := fmt.Appendf(nil, "#!/bin/sh\nexec '%s' credential --dir '%s' --cluster %s\n", exe, l.Dir, c.Name)
	return &login{client: client, path: l.plugin(c.Name), script: script}, err
}

func (p *login) look(ctx context.Context, b Behaviour) error {
	if p.now != nil && *p.now == b.Plugin {
		return nil
	}
	// A credential ends with the Secret that it is bound to.
	secrets := p.client.CoreV1().Secrets(metav1.NamespaceSystem)
	_, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: boundTo(b.Plugin), Labels: map[string]string{"app": PluginName}}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	err = secrets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=" + PluginName, FieldSelector: "metadata.name!=" + boundTo(b.Plugin)})
	if err != nil {
		return err
	}
	if err := p.install(b.Plugin.Fault != PluginGone); err != nil {
		return err
	}
	p.now = &b.Plugin
	return nil
}

// install puts the program where the kubeconfig has it, or removes it.
func (p *login) install(there bool) error {
	if !there {
		if err := os.Remove(p.path); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.WriteFile(p.path+".new", p.script, 0o700); err != nil {
		return err
	}
	return os.Rename(p.path+".new", p.path)
}

func boundTo(b PluginBehaviour) string { return fmt.Sprintf("%s-%d", PluginName, b.Generation) }

// createLogin makes the account as which the plugin logs in, which may do everything.
func createLogin(ctx context.Context, client kubernetes.Interface) error {
	meta := metav1.ObjectMeta{Name: PluginName}
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceSystem).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: metav1.NamespaceSystem, Name: PluginName}}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// Credential does the work of the plugin: it prints a credential for a cluster, or fails
// as the lab's behaviour says.
func (l *Lab) Credential(ctx context.Context, cluster string, out io.Writer) error {
	b, err := LoadBehaviour(l.Dir)
	if err != nil {
		return err
	}
	switch b.Plugin.Fault {
	case PluginLate:
		select {
		case <-time.After(30 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	case PluginSilent:
		return nil
	case PluginWrong:
		_, err := fmt.Fprintln(out, "To sign in, open https://login.lab.example and enter the code 4711")
		return err
	case PluginFails:
		return errors.New("the session has ended: log in again")
	}
	token := &authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{
		Token: strings.Repeat("refused", 3), ExpirationTimestamp: metav1.NewTime(time.Now().Add(time.Hour))}}
	if b.Plugin.Fault != PluginRefused {
		if token, err = l.boundToken(ctx, cluster, boundTo(b.Plugin)); err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode(clientauth.ExecCredential{TypeMeta: metav1.TypeMeta{APIVersion: clientauth.SchemeGroupVersion.String(), Kind: "ExecCredential"},
		Status: &clientauth.ExecCredentialStatus{Token: token.Status.Token, ExpirationTimestamp: &token.Status.ExpirationTimestamp}})
}

// boundToken returns a token of the plugin's account that ends with a Secret.
func (l *Lab) boundToken(ctx context.Context, cluster, secret string) (*authenticationv1.TokenRequest, error) {
	cfg, err := l.restConfig(cluster)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	var token *authenticationv1.TokenRequest
	err = until(ctx, 10*time.Second, lookInterval, func(ctx context.Context) (bool, error) {
		s, err := client.CoreV1().Secrets(metav1.NamespaceSystem).Get(ctx, secret, metav1.GetOptions{})
		if err != nil {
			return false, err // the lab makes it in a moment
		}
		token, err = client.CoreV1().ServiceAccounts(metav1.NamespaceSystem).CreateToken(ctx, PluginName, &authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Secret", Name: secret, UID: s.UID}}}, metav1.CreateOptions{})
		return err == nil, err
	})
	return token, err
}
