package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// fleetsAtOnce limits how many Fleets are looked at at once. One that is deleted while its
	// rollout runs takes the place until that is undone.
	fleetsAtOnce = 10
	// tryAgain pauses before a management cluster is tried again that did not answer.
	tryAgain = 10 * time.Second
)

// Watch reconciles the Fleets of a namespace of the management cluster until the context ends. A
// management cluster that does not answer, or does not let the worker in, is tried again, and logged
// once for each reason: the worker has fleets of commands to serve, too. config returns how the
// cluster is reached now.
func Watch(ctx context.Context, namespace string, r Reconciler, config func() (*rest.Config, error)) {
	for said := ""; ctx.Err() == nil; {
		err := r.watch(ctx, namespace, config)
		if err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			r.Log.Error("cannot watch Fleets; it is tried again every "+tryAgain.String(), "namespace", namespace, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(tryAgain):
		}
	}
}

func (r Reconciler) watch(ctx context.Context, namespace string, config func() (*rest.Config, error)) error {
	cfg, err := config()
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.FromSlogHandler(quiet{r.Log.Handler()}))
	m, err := ctrl.NewManager(cfg, ctrl.Options{
		Cache:                  cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Client:                 client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Metrics:                server.Options{BindAddress: "0"}, // the worker serves its own
		HealthProbeBindAddress: "0",
	})
	if err != nil {
		return explain(err, namespace)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := m.GetAPIReader().List(ctx, list, client.InNamespace(namespace), client.Limit(1)); err != nil {
		return explain(err, namespace)
	}
	r.Kubernetes = m.GetClient()
	anew := true // the name of a controller is taken once in a process, and this one may begin again
	err = ctrl.NewControllerManagedBy(m).
		For(newResource(), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		WithOptions(controller.Options{MaxConcurrentReconciles: fleetsAtOnce, SkipNameValidation: &anew}).
		Complete(&r)
	if err != nil {
		return err
	}
	r.Log.Info("watching Fleets", "namespace", namespace, "apiServer", cfg.Host)
	return m.Start(ctx)
}

// explain says what to do where the Fleets of a cluster cannot be read.
func explain(err error, namespace string) error {
	var none *meta.NoKindMatchError
	switch {
	case errors.As(err, &none) || meta.IsNoMatchError(err) || apierrors.IsNotFound(err):
		return errors.New("the management cluster has no resource fleets.landbridge.dev: `landbridge schema crd | kubectl apply -f -` makes it")
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the management cluster denies the worker to list Fleets in namespace %s (403): `landbridge rbac --management %s --fleets` prints the role", namespace, namespace)
	}
	return fmt.Errorf("read the Fleets of the management cluster: %w", err)
}

// quiet leaves out of the log what controller-runtime tells of its own beginning and end.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
