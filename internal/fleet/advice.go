package fleet

import "fmt"

// Advice returns a sentence for each setting that works and that another one would serve better:
// a source with an egress gateway for each of its many targets.
func (f *Fleet) Advice() (out []string) {
	for _, links := range BySource(f.Links()) {
		source, _ := f.Cluster(links[0].From)
		egress := f.Settings(source).Gateways.Egress
		if pods := len(links) * egress.Count(); len(links) >= ManyTargets && !egress.Mode.Shared() {
			out = append(out, fmt.Sprintf("%s has an egress gateway for each of its %d targets, with %d pods together; gateways.egress.mode: shared has one for all, with %d",
				source.Name, len(links), pods, egress.Count()))
		}
	}
	return out
}
