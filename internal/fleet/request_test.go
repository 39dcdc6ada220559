package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequest_IsOneLine(t *testing.T) {
	for want, r := range map[string]Request{
		"":                               {},
		"CHG-7":                          {Reason: "CHG-7"},
		"requested by ann":               {RequestedBy: "ann"},
		"requested by ann: CHG-7, for ü": {RequestedBy: "ann", Reason: "CHG-7, for ü"},
	} {
		require.Equal(t, want, r.Line())
		require.NoError(t, r.Validate())
	}
}

func TestRequest_TooLongOrNoText_IsRefused(t *testing.T) {
	long := strings.Repeat("ü", maxRequest)
	require.NoError(t, Request{Reason: long, RequestedBy: long}.Validate(), "characters count, not bytes")
	for want, r := range map[string]Request{
		"--reason has 201 characters; at most 200 are kept":       {Reason: long + "ü"},
		"--requested-by has 201 characters; at most 200 are kept": {RequestedBy: long + "ü"},
		"--reason must be one line of text":                       {Reason: "two\nlines"},
		"--requested-by must be one line of text":                 {RequestedBy: "\x1b[31mred"},
	} {
		require.EqualError(t, r.Validate(), want)
	}
}

// Of two faults it is always the same one that is told.
func TestRequest_TwoFaults_TellsTheReasonFirst(t *testing.T) {
	for range 50 {
		require.ErrorContains(t, Request{Reason: "\n", RequestedBy: "\n"}.Validate(), "--reason")
	}
}
