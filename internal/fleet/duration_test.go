package fleet

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDuration_Any_SurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64().Draw(t, "duration"))
		data, err := json.Marshal(d)
		require.NoError(t, err)
		var back Duration
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, d, back)
	})
}

func TestDuration_WhatIsNone_IsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`15`:       "want a duration such as 15m, got 15",
		`"15"`:     `want a duration such as 90s, 15m or 87600h, got "15"`,
		`"1 hour"`: `want a duration such as 90s, 15m or 87600h, got "1 hour"`,
		`""`:       `want a duration such as 90s, 15m or 87600h, got ""`,
	} {
		var d Duration
		require.EqualError(t, json.Unmarshal([]byte(text), &d), want, text)
	}
}

func TestDuration_Null_ChangesNothing(t *testing.T) {
	d := Duration(time.Minute)
	require.NoError(t, json.Unmarshal([]byte("null"), &d))
	require.Equal(t, time.Minute, d.Std())
}
