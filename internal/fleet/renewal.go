package fleet

import "time"

// mostRenewalEvery limits how long a schedule waits until it looks at certificates again: a
// year's certificate that could not be renewed is tried many times before it ends.
const mostRenewalEvery = 7 * 24 * time.Hour

// RenewsIntermediates says whether the fleet's schedule renews the clusters' intermediates. One
// that ends with the root gets no longer life by that; of an issuer's root nothing is known.
func (f Fleet) RenewsIntermediates() bool {
	ca := f.Spec.CA
	return ca.Managed() && (ca.Issuer.Given() || ca.IntermediateLifetime < ca.RootLifetime)
}

// RenewalEvery returns how often the fleet's schedule looks for credentials that are due, where
// the tokens live as long as the clusters gave, or do not end (0). It is 0 where nothing ends
// that it could renew.
func (f Fleet) RenewalEvery(tokens time.Duration) time.Duration {
	every := time.Duration(0)
	if tokens != 0 {
		every = RotationEvery(tokens)
	}
	if f.RenewsIntermediates() {
		certificates := mostRenewalEvery
		if life := f.Spec.CA.IntermediateLifetime.Std(); life > 0 { // a cfssl server decides itself
			certificates = min(certificates, RotationEvery(life))
		}
		if every == 0 || certificates < every {
			every = certificates
		}
	}
	return every
}
