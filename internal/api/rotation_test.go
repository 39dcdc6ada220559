package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTokens_SumUp(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var got, other Tokens
	got.Add(TokenFacts{}) // a plan would issue it
	got.Add(TokenFacts{Issued: now.Add(-time.Hour)})
	got.Add(TokenFacts{Issued: now, Ends: now.Add(24 * time.Hour)})
	other.Add(TokenFacts{Issued: now.Add(-2 * time.Hour)})
	other.Add(TokenFacts{Issued: now, Ends: now.Add(time.Hour)})
	got.Merge(other)
	got.Merge(Tokens{})
	require.Equal(t, Tokens{Unending: 2, Oldest: now.Add(-2 * time.Hour), Ending: 2, Ends: now.Add(time.Hour), Shortest: time.Hour}, got)
}
