package fleet

// Known returns a fleet whose file is lost, as far as a cleanup needs it: its name
// and some of its clusters. The rest is in their inventories. The error is an
// *InvalidError.
func Known(name, taskQueue string, clusters []Cluster) (*Fleet, error) {
	f := &Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: name}, Spec: Spec{TaskQueue: taskQueue, Clusters: clusters}}
	for i := range f.Spec.Clusters {
		f.Spec.Clusters[i].Network = clusters[i].Name // nobody asks for it
	}
	f.SetDefaults()
	ps := &problems{}
	validate(f, ps)
	if err := ps.err("--fleet and --cluster"); err != nil {
		return nil, err
	}
	return f, nil
}

// SetFrom fills in the settings of a fleet whose file is lost from the inventory of
// one of its clusters. The list of clusters stays, and how fast the work goes.
func (f *Fleet) SetFrom(inventory Fleet) {
	clusters, rollout := f.Spec.Clusters, f.Spec.Rollout
	f.Spec = inventory.Spec
	f.Spec.Clusters, f.Spec.Rollout = clusters, rollout
}
