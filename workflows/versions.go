package workflows

// This file is the only one with a workflow.GetVersion marker, each with the release
// that it came with and the histories that need it. There is none yet: v0.4.0 broke
// with all histories before it.
