package proof

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// What an istiod holds may differ from what the target has without a fault.
func TestView_WhatIsNoFault_IsProven(t *testing.T) {
	began := func() func() time.Duration { at := time.Now(); return func() time.Duration { return time.Since(at) } }
	for name, c := range map[string]struct {
		does func(s *source)
		seen string
	}{
		"it is a moment behind": {func(s *source) {
			since := began()
			s.istiod["istiod-1"] = func(w http.ResponseWriter, r *http.Request) {
				old := map[string]string{"/debug/endpointShardz": "{}", "/debug/networkz": "null"}
				if since() > 5*time.Second {
					old = nil
				}
				pages(old)(w, r)
			}
		}, "2 Services"},
		"the mesh reads chosen namespaces": {func(s *source) {
			for name := range s.istiod {
				s.istiod[name] = pages(map[string]string{"/debug/endpointShardz": "{}", "/debug/mesh": `{"discoverySelectors":[{"matchLabels":{"mesh":"yes"}}]}`})
			}
		}, "0 Services"},
		"the target has no Services yet": {func(s *source) {
			s.apiServer = having(`{"items":[]}`, `{"items":[]}`)
			for name := range s.istiod {
				s.istiod[name] = pages(map[string]string{"/debug/endpointShardz": "{}", "/debug/networkz": "null"})
			}
		}, "0 Services"},
		"one pod came and another went": {func(s *source) {
			s.apiServer = having(strings.ReplaceAll(targetSlices, `["10.2.0.7"]`, `["10.2.0.7","10.2.0.9"]`), targetGateway)
		}, "2 Services"},
		"an istiod of before writes one address": {func(s *source) {
			for name := range s.istiod {
				s.istiod[name] = pages(map[string]string{"/debug/endpointShardz": strings.NewReplacer(`"Addresses":["10.2.0.7"]`, `"Address":"10.2.0.7"`).Replace(shardsOfWest)})
			}
		}, "2 Services"},
		"the cloud gives a hostname": {func(s *source) {
			s.apiServer = having(targetSlices, strings.ReplaceAll(targetGateway, `"ip":"198.51.100.7"`, `"hostname":"lb.example.com"`))
		}, "2 Services"},
		"the reader may not read them": {func(s *source) {
			s.apiServer = func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "endpointslices") {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				onlyReaders(w, r)
			}
		}, "0 Services"},
		"a watch was refused, and is not any more": {func(s *source) {
			at := time.Now()
			s.istiodLog = func(since time.Time) string {
				if since.Before(at) {
					return lineRefused
				}
				return ""
			}
		}, "2 Services"},
		"another cluster's watch is refused": {func(s *source) {
			s.istiodLog = func(time.Time) string { return strings.ReplaceAll(lineRefused, "west", "west-2") }
		}, "2 Services"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				c.does(s)
				r, err := s.prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.True(t, r.Proven, r.Why)
				last := r.Checks[len(r.Checks)-1]
				require.Equal(t, api.CheckHolds, last.Name)
				require.Equal(t, c.seen, last.Detail)
			})
		})
	}
}
