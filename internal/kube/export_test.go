package kube

import (
	"maps"
	"slices"

	"github.com/landbridge/landbridge/internal/kinds"
)

// Exclusive returns the kinds that have parts which are Landbridge's alone.
func Exclusive() []kinds.Resource { return slices.Collect(maps.Keys(exclusive)) }
