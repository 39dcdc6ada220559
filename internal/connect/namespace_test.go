package connect

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestIdentity_NamesServerAndNamespace(t *testing.T) {
	s := &temporal{}
	c := s.dial(t)
	for namespace, want := range map[string]string{"": "server-a/default", "ours": "server-a/ours"} {
		got, err := Identity(t.Context(), c, namespace)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	s.noList = status.Error(codes.PermissionDenied, "no")
	_, err := Identity(t.Context(), c, "ours")
	require.ErrorContains(t, err, "ask Temporal who it is: ")
}

func TestEnsureSearchAttributes_AddsOnlyWhatLacks(t *testing.T) {
	s := &temporal{}
	c := s.dial(t)
	require.NoError(t, EnsureSearchAttributes(t.Context(), c, ""))
	require.Len(t, s.added, 1)
	require.Equal(t, "default", s.added[0].Namespace)
	require.Equal(t, SearchAttributes(), s.added[0].SearchAttributes)

	s.added, s.attributes = nil, SearchAttributes()
	delete(s.attributes, "LandbridgeLink")
	s.attributes["Theirs"] = enumspb.INDEXED_VALUE_TYPE_TEXT
	require.NoError(t, EnsureSearchAttributes(t.Context(), c, "ours"))
	require.Len(t, s.added, 1)
	require.Equal(t, "ours", s.added[0].Namespace)
	require.Equal(t, map[string]enumspb.IndexedValueType{"LandbridgeLink": enumspb.INDEXED_VALUE_TYPE_KEYWORD}, s.added[0].SearchAttributes)

	s.added, s.attributes = nil, SearchAttributes()
	require.NoError(t, EnsureSearchAttributes(t.Context(), c, "ours"))
	require.Empty(t, s.added)
}

func TestEnsureSearchAttributes_WhereItMayNot_NamesThem(t *testing.T) {
	s := &temporal{attributes: SearchAttributes(), noAdd: status.Error(codes.PermissionDenied, "no rights")}
	c := s.dial(t)
	delete(s.attributes, "LandbridgeReason")
	delete(s.attributes, "LandbridgeFleet")
	err := EnsureSearchAttributes(t.Context(), c, "ours")
	require.EqualError(t, err, "the namespace ours lacks search attributes of the type Keyword (LandbridgeFleet, LandbridgeReason), and they cannot be added; add them with Temporal's own tools: no rights")
	var denied *serviceerror.PermissionDenied
	require.ErrorAs(t, err, &denied)

	s.noList = status.Error(codes.PermissionDenied, "no rights")
	require.EqualError(t, EnsureSearchAttributes(t.Context(), c, "ours"), "list the search attributes of the namespace ours: no rights")
}

// A namespace has ten Keyword attributes on a SQL database, for all who use it: adding them by
// other means cannot work either.
func TestEnsureSearchAttributes_TooFewAreFree_SaysHowMany(t *testing.T) {
	const keyword = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	theirs := map[string]enumspb.IndexedValueType{"Text": enumspb.INDEXED_VALUE_TYPE_TEXT, "LandbridgeFleet": keyword}
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		theirs[name] = keyword
	}
	s := &temporal{attributes: theirs, noAdd: status.Error(codes.InvalidArgument, "Unable to create search attributes: cannot have more than 10 search attribute of type Keyword.")}
	require.EqualError(t, EnsureSearchAttributes(t.Context(), s.dial(t), "ours"), "5 more search attributes of the type Keyword are needed in the namespace ours "+
		"(LandbridgeCluster, LandbridgeLink, LandbridgePhase, LandbridgeReason, LandbridgeRequestedBy), and 3 of 10 are free; "+
		"remove 2 that nobody uses (`temporal operator search-attribute remove`), or give Landbridge a namespace of its own")
}

func TestEnsureSearchAttributes_AnotherType_IsNamed(t *testing.T) {
	s := &temporal{attributes: map[string]enumspb.IndexedValueType{"LandbridgeLink": enumspb.INDEXED_VALUE_TYPE_TEXT}}
	require.EqualError(t, EnsureSearchAttributes(t.Context(), s.dial(t), "ours"), "the namespace ours has the search attribute LandbridgeLink with the type Text, "+
		"and Landbridge needs Keyword; remove it (`temporal operator search-attribute remove`), or give Landbridge a namespace of its own")
	require.Empty(t, s.added)
}

// starts answers each start of a workflow with the next error, and the last one
// again and again.
type starts struct {
	client.Client
	errs []error
	n    int
}

func (s *starts) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	err := s.errs[min(s.n, len(s.errs)-1)]
	s.n++
	return nil, err
}

var notYet = serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute LandbridgeFleet")

func TestExecute_SearchAttributesAreNew_WaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, c := time.Now(), &starts{errs: []error{notYet, notYet, nil}}
		_, err := Execute(t.Context(), c, client.StartWorkflowOptions{}, "RolloutFleet")
		require.NoError(t, err)
		require.Equal(t, 3, c.n)
		require.Equal(t, 2*attributesInterval, time.Since(began))
	})
}

func TestExecute_SearchAttributesNeverCome_SaysWhatAddsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := Execute(t.Context(), &starts{errs: []error{notYet}}, client.StartWorkflowOptions{}, "RolloutFleet")
		require.ErrorContains(t, err, "the Temporal namespace lacks Landbridge's search attributes: start a worker, which adds them")
		require.ErrorIs(t, err, notYet)
		require.InDelta(t, attributesTimeout.Seconds(), time.Since(began).Seconds(), 2*attributesInterval.Seconds())
	})
}

func TestExecute_OtherwiseDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := serviceerror.NewWorkflowExecutionAlreadyStarted("running", "", "")
		for _, want := range []error{nil, running, serviceerror.NewInvalidArgument("WorkflowId is not set")} {
			began := time.Now()
			_, err := Execute(t.Context(), &starts{errs: []error{want}}, client.StartWorkflowOptions{}, "RolloutFleet")
			require.True(t, errors.Is(err, want))
			require.Zero(t, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), attributesInterval/2)
		defer cancel()
		_, err := Execute(ctx, &starts{errs: []error{notYet}}, client.StartWorkflowOptions{}, "RolloutFleet")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestBind_EachFlagSetsItsField(t *testing.T) {
	var f Flags
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.Bind(fs)
	require.NoError(t, fs.Parse([]string{"--address", "a:1", "--namespace", "n", "--profile", "p"}))
	require.Equal(t, Flags{Address: "a:1", Namespace: "n", Profile: "p"}, f)
}
