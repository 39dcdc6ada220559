package fleet

// The largest fleets, by what Temporal takes of one run: `make sizes` measures it.
const (
	// maxClusters have about 40,000 events in the fleet's workflow, and Temporal ends a run at 51,200.
	maxClusters = 1500
	// maxLinks have a plan of about 100 MiB, 1 MiB compressed, which is half of what Temporal takes.
	maxLinks = 60_000
)

// validateSize refuses a fleet that no run could hold.
func validateSize(f *Fleet, ps *problems) {
	if n := len(f.Spec.Clusters); n > maxClusters {
		ps.add("spec.clusters", "want at most %d clusters, got %d: the history of a run has room for no more; make several fleets", maxClusters, n)
		return // a mesh of these would fill the memory
	}
	if n := len(f.Links()); n > maxLinks {
		ps.add("spec.links", "want at most %d links, got %d: a plan has room for no more; a mesh of %d clusters is the largest, and a hub, groups or a list have fewer links", maxLinks, n, largestMesh())
	}
}

// largestMesh returns how many clusters have no more than maxLinks links with each other.
func largestMesh() (n int) {
	for (n+1)*n <= maxLinks {
		n++
	}
	return n
}
