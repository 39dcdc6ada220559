package inventory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

var (
	ours   = inventory.Lock{Temporal: "server-a/default", Run: "run-2", Since: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	before = inventory.Lock{Temporal: "server-a/default", Run: "run-1", Since: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	theirs = inventory.Lock{Temporal: "server-b/default", Run: "run-9", Since: time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)}
)

func claim(as inventory.Lock) inventory.Claim { return inventory.Claim{Fleet: "prod", As: as} }

func part(name, version string) fleet.Fleet {
	f := fleet.Fleet{}
	f.Metadata.Name, f.Spec.Istio.Version = name, version
	return f
}

// cluster returns one whose inventory is of the fleet prod, locked as given.
func cluster(t *testing.T, lock *inventory.Lock) *kubetest.Cluster {
	t.Helper()
	c := kubetest.New("west")
	by := before
	if lock != nil {
		by = *lock
	}
	_, err := claim(by).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
	require.NoError(t, err)
	if lock == nil {
		unlocked, err := inventory.Unlock(t.Context(), c.Cluster, before.Run)
		require.NoError(t, err)
		require.True(t, unlocked)
	}
	return c
}

func read(t *testing.T, c *kubetest.Cluster) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Read(t.Context(), c.Cluster)
	require.NoError(t, err)
	return inv
}

// stored returns the ConfigMap itself.
func stored(t *testing.T, c *kubetest.Cluster) *corev1.ConfigMap {
	t.Helper()
	cm, err := c.Client.CoreV1().ConfigMaps("landbridge-system").Get(t.Context(), "landbridge-inventory", metav1.GetOptions{})
	require.NoError(t, err)
	return cm
}

// requireNoWrites runs what must change nothing.
func requireNoWrites(t *testing.T, c *kubetest.Cluster, run func()) {
	t.Helper()
	was := len(c.Writes())
	run()
	require.Len(t, c.Writes(), was)
}

func TestWrite_FreshCluster_MakesAnInventoryWithOurLock(t *testing.T) {
	c := kubetest.New("west")
	require.Nil(t, read(t, c))

	ch, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, true)
	require.NoError(t, err)
	require.Equal(t, fleet.Create, ch.Action)
	require.Nil(t, read(t, c), "a dry run writes nothing")

	ch, err = claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
	require.NoError(t, err)
	require.Equal(t, fleet.Change{Action: fleet.Create, Kind: "ConfigMap", Namespace: "landbridge-system", Name: "landbridge-inventory"}, ch)
	inv := read(t, c)
	require.Equal(t, part("prod", "v1.31.0"), inv.Fleet)
	require.Equal(t, ours, *inv.Lock)
	cm := stored(t, c)
	require.Equal(t, map[string]string{"landbridge.dev/fleet": "prod", "app.kubernetes.io/managed-by": "landbridge", "app.kubernetes.io/component": inventory.Component}, cm.Labels)
	require.Equal(t, ours.Run, cm.Annotations[fleet.AnnotationRun], "an undo of this run removes it")
}

func TestWrite_UnchangedIsLeftAlone_ChangedTakesTheLock(t *testing.T) {
	c := cluster(t, &before)
	requireNoWrites(t, c, func() {
		ch, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
		require.NoError(t, err)
		require.Equal(t, fleet.Keep, ch.Action)
	})
	requireNoWrites(t, c, func() {
		ch, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.3"), fleet.Memory{}, true)
		require.NoError(t, err)
		require.Equal(t, fleet.Update, ch.Action)
	})
	ch, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.3"), fleet.Memory{}, false)
	require.NoError(t, err)
	require.Equal(t, fleet.Update, ch.Action)
	inv := read(t, c)
	require.Equal(t, "v1.31.3", inv.Fleet.Spec.Istio.Version)
	require.Equal(t, ours, *inv.Lock)
	require.Equal(t, before.Run, stored(t, c).Annotations[fleet.AnnotationRun], "it stays with the run that made it")
}

func TestLock_ByWhoMay(t *testing.T) {
	for name, c := range map[string]struct {
		lock   *inventory.Lock
		claim  inventory.Claim
		writes int
	}{
		"nobody has it":                       {nil, claim(ours), 1},
		"an earlier run of the same Temporal": {&before, claim(ours), 1},
		"it is ours already":                  {&ours, claim(ours), 0},
		"another Temporal's, taken over":      {&theirs, inventory.Claim{Fleet: "prod", As: ours, TakeOver: true}, 1},
	} {
		in := cluster(t, c.lock)
		was := len(in.Writes())
		require.NoError(t, c.claim.Lock(t.Context(), in.Cluster), name)
		require.Len(t, in.Writes(), was+c.writes, name)
		inv := read(t, in)
		require.Equal(t, ours, *inv.Lock, name)
		require.Equal(t, part("prod", "v1.31.0"), inv.Fleet, name)
	}
}

func TestOtherFleet_IsRefusedByItsName(t *testing.T) {
	c := cluster(t, nil)
	other := inventory.Claim{Fleet: "staging", As: ours, TakeOver: true}
	requireNoWrites(t, c, func() {
		var refused *inventory.OtherFleetError
		require.ErrorAs(t, other.Lock(t.Context(), c.Cluster), &refused)
		_, err := other.Write(t.Context(), c.Cluster, part("staging", "v1.31.0"), fleet.Memory{}, false)
		require.ErrorAs(t, err, &refused)
		require.EqualError(t, refused, "cluster west belongs to the fleet prod; a cluster belongs to one fleet: clean that one up first")
	})
}

func member(name, uid string, peers ...fleet.Identity) fleet.Memory {
	return fleet.Memory{Member: fleet.Identity{Name: name, UID: uid}, Peers: peers}
}

func TestOtherMember_IsRefusedByItsName(t *testing.T) {
	c := kubetest.New("west")
	_, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), member("west", "1"), false)
	require.NoError(t, err)
	require.NoError(t, claim(ours).Lock(t.Context(), c.Cluster), "it is the member that it is called")

	renamed := *c.Cluster
	renamed.Name = "west-1"
	requireNoWrites(t, c, func() {
		var refused *inventory.OtherMemberError
		require.ErrorAs(t, claim(ours).Lock(t.Context(), &renamed), &refused)
		_, err := claim(ours).Write(t.Context(), &renamed, part("prod", "v1.31.0"), member("west-1", "1"), false)
		require.ErrorAs(t, err, &refused)
		require.Equal(t, inventory.OtherMemberError{Cluster: "west-1", Is: "west"}, *refused)
		require.ErrorContains(t, err, "cluster west-1 is the fleet's member west")
	})
}

func TestWrite_APeerIsAnotherClusterThanBefore_SaysSo(t *testing.T) {
	c := kubetest.New("west")
	for _, step := range []struct {
		peer   string
		action fleet.Action
		note   string
	}{{"2", fleet.Create, ""}, {"2", fleet.Keep, ""}, {"3", fleet.Update, "another cluster than before: east"}, {"", fleet.Update, ""}} {
		as := ours
		if step.action != fleet.Create { // what this run made is created, however often it is asked
			as.Run = "run-3"
		}
		ch, err := claim(as).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), member("west", "1", fleet.Identity{Name: "east", UID: step.peer}), false)
		require.NoError(t, err)
		require.Equal(t, step.action, ch.Action)
		require.Equal(t, step.note, ch.Note)
	}
}

// What a rollout writes keeps the pins, and the root that the cluster has.
func TestWrite_KeepsPinsAndTheRoot(t *testing.T) {
	c := kubetest.New("west")
	with := func(root string) fleet.Memory {
		return fleet.Memory{Member: fleet.Identity{Name: "west", UID: "1"}, Root: fleet.KnownRoot{Fingerprint: root}}
	}
	write := func(memory fleet.Memory, version string) error {
		_, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", version), memory, false)
		return err
	}
	pin := inventory.Pin{UID: "2", Recipient: "age1east"}
	require.NoError(t, claim(ours).Pin(t.Context(), c.Cluster, "east", pin), "without an inventory there is nothing to do")
	require.Nil(t, read(t, c))
	require.NoError(t, write(with(""), "v1.31.0"))
	require.NoError(t, write(with("sha256:1"), "v1.31.0"))
	require.NoError(t, claim(ours).Pin(t.Context(), c.Cluster, "east", pin))
	requireNoWrites(t, c, func() { require.NoError(t, claim(ours).Pin(t.Context(), c.Cluster, "east", pin)) })

	var refused *inventory.UntrustedError
	requireNoWrites(t, c, func() { require.ErrorAs(t, write(with("sha256:2"), "v1.31.3"), &refused) })
	require.NoError(t, write(with(""), "v1.31.3"))
	inv := read(t, c)
	require.Equal(t, with("sha256:1"), inv.Memory)
	require.Equal(t, map[string]inventory.Pin{"east": pin}, inv.Pins)
	_, err := inventory.Unlock(t.Context(), c.Cluster, ours.Run)
	require.NoError(t, err)
	require.Equal(t, map[string]inventory.Pin{"east": pin}, read(t, c).Pins)

	var locked *inventory.LockedError
	require.NoError(t, claim(theirs).Lock(t.Context(), c.Cluster))
	requireNoWrites(t, c, func() {
		require.ErrorAs(t, claim(ours).Pin(t.Context(), c.Cluster, "east", inventory.Pin{Recipient: "age1other"}), &locked)
	})
	require.Contains(t, inventory.Unpin("east"), "/data/pin.east")
}

func TestLockedByAnotherTemporal_IsRefusedWithItsRun(t *testing.T) {
	c := cluster(t, &theirs)
	requireNoWrites(t, c, func() {
		var refused *inventory.LockedError
		require.ErrorAs(t, claim(ours).Lock(t.Context(), c.Cluster), &refused)
		_, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.3"), fleet.Memory{}, false)
		require.ErrorAs(t, err, &refused)
		require.EqualError(t, refused, "cluster west is being changed by run run-9 of the Temporal server-b/default since 2026-11-24T07:00:00Z; wait for it or, if it is dead, use --take-over")
	})
	require.Equal(t, theirs, *read(t, c).Lock)
}

func TestLock_InventoryGone_StopsWhoNeedsItAndNobodyElse(t *testing.T) {
	c := kubetest.New("west")
	rollout := claim(ours)
	rollout.MustExist = true
	var gone *inventory.GoneError
	require.ErrorAs(t, rollout.Lock(t.Context(), c.Cluster), &gone)
	require.EqualError(t, gone, "the inventory of cluster west (ConfigMap landbridge-system/landbridge-inventory) is gone: a cleanup ran meanwhile; roll out again")
	_, err := rollout.Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
	require.ErrorAs(t, err, &gone, "a self-heal makes no inventory")
	require.NoError(t, claim(ours).Lock(t.Context(), c.Cluster), "a cleanup goes on")
	require.NoError(t, claim(ours).Allowed(nil, "west"))
	require.Nil(t, read(t, c))
}

// conflictOnce refuses the next update as an API server does where somebody else
// wrote since the read, and lets that somebody write.
func conflictOnce(c *kubetest.Cluster, meanwhile func()) {
	done := false
	c.React("update", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		if done {
			return false, nil, nil
		}
		done = true
		meanwhile()
		return true, nil, apierrors.NewConflict(kinds.ConfigMaps.GroupResource(), fleet.InventoryName, errors.New("the object has been modified"))
	})
}

func TestLock_MeetsAConflict_LooksAgain(t *testing.T) {
	c := cluster(t, nil)
	conflictOnce(c, func() {})
	require.NoError(t, claim(ours).Lock(t.Context(), c.Cluster))
	require.Equal(t, ours, *read(t, c).Lock)
}

func TestLock_AnotherTemporalIsQuicker_ItKeepsTheLock(t *testing.T) {
	c := cluster(t, nil)
	cm := stored(t, c)
	cm.Data["lock.json"] = `{"temporal": "server-b/default", "run": "run-9"}`
	conflictOnce(c, func() { c.Put(cm) })
	var refused *inventory.LockedError
	require.ErrorAs(t, claim(ours).Lock(t.Context(), c.Cluster), &refused)
	require.Equal(t, theirs.Run, read(t, c).Lock.Run)
}

func TestWrite_TwoAtOnce_TheSecondFindsTheFirst(t *testing.T) {
	c := kubetest.New("west")
	c.React("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewAlreadyExists(kinds.ConfigMaps.GroupResource(), fleet.InventoryName)
	})
	_, err := claim(ours).Write(t.Context(), c.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
	require.True(t, apierrors.IsAlreadyExists(err), "the next try reads it: %v", err)
	require.ErrorContains(t, err, "write the inventory (ConfigMap landbridge-system/landbridge-inventory)")
}

func TestRead_DamagedInventory_SaysWhatAndWhereAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		data map[string]string
		want string
	}{
		"nothing in it":        {nil, "key fleet.json) is damaged: unexpected end of JSON input"},
		"no JSON":              {map[string]string{"fleet.json": "{"}, "key fleet.json) is damaged: unexpected end of JSON input"},
		"no fleet":             {map[string]string{"fleet.json": "{}"}, "key fleet.json) is damaged: it names no fleet"},
		"a lock that is none":  {map[string]string{"fleet.json": `{"metadata":{"name":"prod"}}`, "lock.json": "prod"}, "key lock.json) is damaged: invalid character 'p'"},
		"a pin that is none":   {map[string]string{"fleet.json": `{"metadata":{"name":"prod"}}`, "pin.east": "age1"}, "key pin.east) is damaged: invalid character 'a'"},
		"a lock of other type": {map[string]string{"fleet.json": `{"metadata":{"name":"prod"}}`, "lock.json": "[]"}, "key lock.json) is damaged: json: cannot unmarshal array"},
	} {
		in := kubetest.New("west", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "landbridge-system", Name: "landbridge-inventory"}, Data: c.data})
		_, err := inventory.Read(t.Context(), in.Cluster)
		var damaged *inventory.DamagedError
		require.ErrorAs(t, err, &damaged, name)
		require.ErrorContains(t, err, "the inventory of cluster west (ConfigMap landbridge-system/landbridge-inventory, "+c.want, name)
		require.ErrorContains(t, err, "; restore it from a backup, or delete it and try again", name)
		requireNoWrites(t, in, func() {
			require.ErrorAs(t, claim(ours).Lock(t.Context(), in.Cluster), &damaged, name)
			_, err = claim(ours).Write(t.Context(), in.Cluster, part("prod", "v1.31.0"), fleet.Memory{}, false)
			require.ErrorAs(t, err, &damaged, name)
			_, err = inventory.Unlock(t.Context(), in.Cluster, ours.Run)
			require.ErrorAs(t, err, &damaged, name)
		})
	}
}

func TestRead_Forbidden_IsKubernetesOwnError(t *testing.T) {
	c := kubetest.New("west")
	c.React("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(kinds.ConfigMaps.GroupResource(), fleet.InventoryName, errors.New("no"))
	})
	_, err := inventory.Read(t.Context(), c.Cluster)
	require.True(t, apierrors.IsForbidden(err))
}

func TestUnlock_OnlyWhoHasTheLock(t *testing.T) {
	c := cluster(t, &theirs)
	requireNoWrites(t, c, func() {
		unlocked, err := inventory.Unlock(t.Context(), c.Cluster, ours.Run)
		require.NoError(t, err)
		require.False(t, unlocked)
	})
	require.Equal(t, theirs, *read(t, c).Lock)

	conflictOnce(c, func() {})
	unlocked, err := inventory.Unlock(t.Context(), c.Cluster, theirs.Run)
	require.NoError(t, err)
	require.True(t, unlocked)
	inv := read(t, c)
	require.Nil(t, inv.Lock)
	require.Equal(t, "prod", inv.Fleet.Metadata.Name)

	requireNoWrites(t, c, func() {
		for _, in := range []*kubetest.Cluster{c, kubetest.New("west")} {
			unlocked, err = inventory.Unlock(t.Context(), in.Cluster, theirs.Run)
			require.NoError(t, err)
			require.False(t, unlocked, "there is no lock")
		}
	})
}
