package lab

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBehaviour_IsReadAsItWasSaved(t *testing.T) {
	dir := t.TempDir()
	want := Behaviour{Cloud: CloudBehaviour{Delay: time.Second, Failures: 2, Address: "hostname", Only: "west"}, Sail: SailBehaviour{Error: "no"}, Platform: []string{PlatformCopies},
		Admission: []string{AdmissionLabels}, Plugin: PluginBehaviour{Generation: 1, Fault: PluginLate}}
	require.NoError(t, want.Validate())
	require.NoError(t, want.Save(dir))
	got, err := LoadBehaviour(dir)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestBehaviour_ThatCannotBeIsRefused(t *testing.T) {
	for want, b := range map[string]Behaviour{
		"want ip or hostname": {Cloud: CloudBehaviour{Address: "name"}},
		"--platform: want":    {Cloud: CloudBehaviour{Address: "ip"}, Platform: []string{"nothing"}},
		"--admission: want":   {Cloud: CloudBehaviour{Address: "ip"}, Admission: []string{"nothing"}},
		"--plugin: want":      {Cloud: CloudBehaviour{Address: "ip"}, Plugin: PluginBehaviour{Fault: "nothing"}},
		"cannot be negative":  {Cloud: CloudBehaviour{Address: "ip", Failures: -1}},
	} {
		require.ErrorContains(t, b.Validate(), want)
	}
}
