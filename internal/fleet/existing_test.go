package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func settings(s Spec) Settings { return Settings{s.Istio, s.Gateways} }

func TestExisting_NothingSet_LandbridgeInstallsAll(t *testing.T) {
	s := parse(t, small).Spec
	require.False(t, settings(s).Existing())
	require.True(t, s.Istio.Managed())
	require.True(t, s.CA.Managed())
	e := s.Gateways.EastWest
	require.True(t, e.Managed())
	require.Equal(t, "default", s.Istio.Rev())
	require.Equal(t, EastWestGateway, e.ServiceName())
	require.Equal(t, EastWestGateway, e.Account())
	require.Equal(t, map[string]string{"app": EastWestGateway}, e.Selector())
}

func TestExisting_Istio_KeepsItsRevisionAndItsCA(t *testing.T) {
	s := parse(t, small+"  istio: {manage: false}\n").Spec
	require.True(t, settings(s).Existing())
	require.Equal(t, "default", s.Istio.Rev())
	require.False(t, s.CA.Managed())
	s = parse(t, small+"  istio: {manage: false, revision: stable}\n").Spec
	require.Equal(t, "stable", s.Istio.Rev())
}

func TestExisting_CAAlone(t *testing.T) {
	s := parse(t, small+"  ca: {manage: false}\n").Spec
	require.False(t, s.CA.Managed())
	require.False(t, settings(s).Existing())
	require.True(t, s.Istio.Managed())
}

func TestExisting_Gateway_HasDefaultsOfItsOwn(t *testing.T) {
	for text, want := range map[string]struct{ service, account, label string }{
		"{manage: false}": {EastWestGateway, EastWestGateway, "eastwestgateway"},
		"{manage: false, service: {name: crossing}}":                    {"crossing", "crossing", "eastwestgateway"},
		"{manage: false, service: {name: crossing}, serviceAccount: a}": {"crossing", "a", "eastwestgateway"},
		"{manage: false, labels: {istio: mine}}":                        {EastWestGateway, EastWestGateway, "mine"},
	} {
		s := parse(t, small+"  gateways: {eastWest: "+text+"}\n").Spec
		require.True(t, settings(s).Existing())
		e := s.Gateways.EastWest
		require.Equal(t, want.service, e.ServiceName(), text)
		require.Equal(t, want.account, e.Account(), text)
		require.Equal(t, map[string]string{"istio": want.label}, e.Selector(), text)
	}
}
