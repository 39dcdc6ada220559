package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// The habits that the admission of a lab's clusters can have. All leave Kubernetes' own
// namespaces alone.
const (
	// AdmissionResources sets requests and limits of workloads, with a note of what they
	// were, as GKE Autopilot does.
	AdmissionResources = "resources"
	// AdmissionLabels puts a label on what is written, as policy engines do.
	AdmissionLabels = "labels"
	// AdmissionSidecars puts a container before the others of each pod, as injectors do.
	AdmissionSidecars = "sidecars"
	// AdmissionTolerations adds a toleration to workloads.
	AdmissionTolerations = "tolerations"
	// AdmissionImages makes workloads take their images from a mirror.
	AdmissionImages = "images"
	// AdmissionRefuse refuses LoadBalancer Services with 403 and a reason, as Gatekeeper
	// does.
	AdmissionRefuse = "refuse"
	// AdmissionPolicy refuses them by a policy of Kubernetes' own, with 422.
	AdmissionPolicy = "policy"
	// AdmissionDown asks a webhook about them that does not answer.
	AdmissionDown = "down"
)

var admissionHabits = []string{AdmissionResources, AdmissionLabels, AdmissionSidecars, AdmissionTolerations, AdmissionImages,
	AdmissionRefuse, AdmissionPolicy, AdmissionDown}

// RefusedByWebhook and RefusedByPolicy are the reasons of AdmissionRefuse and
// AdmissionPolicy.
const (
	RefusedByWebhook = "[no-load-balancers] the network team gives load balancers out: ask in #network"
	RefusedByPolicy  = "the network team gives load balancers out"
)

// nobody is an address at which nobody listens.
const nobody = "https://127.0.0.1:1"

// admission has the webhooks and the policy that the lab's behaviour says, on one
// cluster, and answers for the webhooks.
type admission struct {
	client kubernetes.Interface
	// url reaches the webhooks from the API server, which knows them by ca.
	url string
	ca  []byte
	// has tells which habits are on; of others nothing is known yet.
	has map[string]bool
}

// newAdmission serves a cluster's webhooks until the context ends, in the network of
// its API server.
func newAdmission(ctx context.Context, l *Lab, c Cluster, cfg *rest.Config) (*admission, error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	pki, err := newAuthority(l.path("pki", c.Name, "webhooks"), c.Name+" webhooks")
	if err != nil {
		return nil, err
	}
	if err := pki.issue("server", identity{user: "webhooks", hosts: []string{"127.0.0.1"}}); err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(pki.file("ca.crt"))
	if err != nil {
		return nil, err
	}
	const anyPort = "127.0.0.1:0"
	var listener net.Listener
	if c.Real {
		listener, err = listenIn(c.Pause, anyPort)
	} else {
		listener, err = net.Listen("tcp", anyPort)
	}
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(review), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { log.Print(server.ServeTLS(listener, pki.file("server.crt"), pki.file("server.key"))) }()
	return &admission{client, "https://" + listener.Addr().String(), ca, map[string]bool{}}, nil
}

func (a *admission) look(ctx context.Context, b Behaviour) error {
	for _, habit := range admissionHabits {
		want := slices.Contains(b.Admission, habit)
		if is, known := a.has[habit]; known && is == want {
			continue
		}
		if err := a.set(ctx, habit, want); err != nil {
			return fmt.Errorf("%s: %w", habit, err)
		}
		a.has[habit] = want
	}
	return nil
}

// review answers an API server for the habit that the path names.
func review(w http.ResponseWriter, r *http.Request) {
	var asked admissionv1.AdmissionReview
	var obj map[string]any
	err := json.NewDecoder(r.Body).Decode(&asked)
	if err == nil {
		err = json.Unmarshal(asked.Request.Object.Raw, &obj)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: asked.Request.UID, Allowed: true}
	habit := r.URL.Path[1:]
	if habit == AdmissionRefuse {
		answer.Allowed = !loadBalancer(obj)
		answer.Result = &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: RefusedByWebhook}
	} else if ops := mutations[habit](obj); len(ops) > 0 {
		patch, err := json.Marshal(ops)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		kind := admissionv1.PatchTypeJSONPatch
		answer.Patch, answer.PatchType = patch, &kind
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: asked.TypeMeta, Response: answer})
}

func loadBalancer(service map[string]any) bool {
	spec, _ := service["spec"].(map[string]any)
	return spec["type"] == "LoadBalancer"
}
