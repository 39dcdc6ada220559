package activities

import (
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestSealing_OnlyTheSourceOpensIt(t *testing.T) {
	east, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	north, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	want := credentials{CA: []byte("ca"), Token: []byte("token")}
	sealed, err := seal(east.Recipient().String(), want)
	require.NoError(t, err)
	require.NotContains(t, sealed, "token")
	got, err := unseal([]byte(east.String()), sealed)
	require.NoError(t, err)
	require.Equal(t, want, got)

	for name, c := range map[string]struct{ key, sealed string }{
		"another cluster's key": {north.String(), sealed},
		"no key":                {"", sealed},
		"not base64":            {east.String(), "*"},
		"cut off":               {east.String(), sealed[:len(sealed)/2]},
	} {
		_, err := unseal([]byte(c.key), c.sealed)
		var dead *kube.DeadEndError
		require.ErrorAs(t, err, &dead, name)
		require.NotContains(t, err.Error(), "AGE-SECRET", name)
	}
}

func TestSealingKey_Broken_IsReplaced(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	first := w.recipient()
	require.Equal(t, first, w.recipient(), "a second run keeps it")
	s, err := w.Client.CoreV1().Secrets(fleet.SystemNamespace).Get(t.Context(), sealingSecret, metav1.GetOptions{})
	require.NoError(t, err)
	s.Data = map[string][]byte{sealingKey: []byte("damaged")}
	w.Put(s)
	w.ref.ForceConflicts = true
	require.NotEqual(t, first, w.recipient())
	_, err = seal("not a recipient", credentials{})
	require.EqualError(t, err, "the source's sealing key is not an age recipient")
}
