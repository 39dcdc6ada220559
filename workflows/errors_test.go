package workflows

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// worst returns a failure whose every field is as long as it can be.
func worst(i int) api.Failure {
	f := api.Failure{Unit: api.LinkOf(fleet.Link{From: fmt.Sprintf("a-cluster-with-a-name%d", i), To: fmt.Sprintf("a-cluster-with-a-name%d", i+1)}), Step: "11 egress configuration", Type: "LoadBalancer",
		Message: strings.Repeat("wörds of a cloud ", 200), State: api.StateLeft}
	for s := range 12 {
		f.Left = append(f.Left, fmt.Sprintf("step %d: %s", s, strings.Repeat("why ", 30)))
	}
	return f
}

func TestFail_HoweverMuchWentWrong_StaysBelowTwoKilobytes(t *testing.T) {
	var fifty []api.Failure
	for i := range 50 {
		fifty = append(fifty, worst(i))
	}
	for name, err := range map[string]error{
		"one unit": failUnit(api.TypeUnit, worst(0)), "one": fail(api.TypeFailed, "the rollout failed", fifty[:1]),
		"three": fail(api.TypeFailed, "the rollout failed", fifty[:3]), "fifty": fail(api.TypePartly, "the rollout is partly done", fifty),
		"nothing": fail(api.TypeFailed, "the rollout failed", nil),
	} {
		t.Run(name, func(t *testing.T) {
			failure := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
			require.LessOrEqual(t, proto.Size(failure), 2048)
			require.True(t, utf8.ValidString(failure.Message))
			list := api.Failures(err)
			if name != "nothing" {
				require.Equal(t, worst(0).Unit, list[0].Unit)
				require.NotEmpty(t, list[0].Message)
			}
		})
	}
	require.Contains(t, fail(api.TypeFailed, "x", fifty).Error(), "and 49 more")
}

func TestFailUnit_ShortFailure_IsTheSameForTheParent(t *testing.T) {
	f := api.Failure{Unit: api.Member("west"), Step: "5 cacerts", Type: "Forbidden", Message: "no", State: api.StateLeft, Left: []string{"4 namespaces: no"}}
	require.Equal(t, []api.Failure{f}, api.Failures(failUnit(api.TypeUnit, f)))
}

func TestFailureOf_NamesTheUnitOnce_AndAnotherClusterStill(t *testing.T) {
	of := func(unit api.Unit, message string) string {
		return failureOf(unit, &stepError{"5 cacerts", temporal.NewNonRetryableApplicationError(message, api.TypeForbidden, nil)}).String()
	}
	require.Equal(t, "cluster west, step 5 cacerts: no", of(api.Member("west"), "cluster west: no"))
	require.Equal(t, "cluster west, step 5 cacerts: cluster west2: no", of(api.Member("west"), "cluster west2: no"))
	link := api.LinkOf(fleet.Link{From: "east", To: "west"})
	require.Equal(t, "link east -> west, step 5 cacerts: cluster west: no", of(link, "cluster west: no"))
}

// What a step was at tells people where to look, whichever step it is.
func TestDescribe_AStepThatWasCutOff_SaysWhatItWasAt(t *testing.T) {
	for _, of := range []enumspb.TimeoutType{enumspb.TIMEOUT_TYPE_START_TO_CLOSE, enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE} {
		_, message := describe(temporal.NewTimeoutError(of, nil, "preflight: rights"))
		require.Equal(t, "the step did not end within its time limit; it was at: preflight: rights", message)
		for _, details := range [][]any{nil, {""}} {
			_, message = describe(temporal.NewTimeoutError(of, nil, details...))
			require.Equal(t, "the step did not end within its time limit", message)
		}
	}
}
