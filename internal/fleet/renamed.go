package fleet

import "regexp"

// renamed maps old names to new ones, and is the only place that knows old ones: of
// the API group, of flags, and of fields by their path, where [] stands for any
// item of a list.
var renamed = map[string]string{
	"landbridge/v1alpha1": APIVersion,
	"--mend":              "--force-conflicts",

	"spec.gateways.serviceAnnotations": "spec.gateways.eastWest.service.annotations",
}

var index = regexp.MustCompile(`\[\d+\]`)

// Renamed returns the name that something has now which had the old one, and
// whether there is such a thing.
func Renamed(old string) (string, bool) {
	now, ok := renamed[index.ReplaceAllString(old, "[]")]
	return now, ok
}
