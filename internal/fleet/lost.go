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
	if err := ps.err("FLEET and --cluster"); err != nil {
		return nil, err
	}
	return f, nil
}

// SetFrom fills in the settings of a fleet whose file is lost from the inventory of
// one of its clusters. The list of clusters stays.
func (f *Fleet) SetFrom(inventory Fleet) {
	clusters := f.Spec.Clusters
	f.Spec = inventory.Spec
	f.Spec.Clusters = clusters
	f.SetDefaults()
}

// Reach returns the fleet's name and how its clusters are reached or, before a run has read
// its sources, found, and nothing of what is to be there.
func (f *Fleet) Reach() Fleet {
	out := Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: f.Metadata.Name}, Spec: Spec{TaskQueue: f.Spec.TaskQueue, Management: f.Spec.Management, ClustersFrom: f.Spec.ClustersFrom}}
	for _, c := range f.Spec.Clusters {
		out.Spec.Clusters = append(out.Spec.Clusters, Cluster{Name: c.Name, Network: c.Name, Kubeconfig: c.Kubeconfig, TaskQueue: c.TaskQueue})
	}
	out.SetDefaults()
	return out
}
